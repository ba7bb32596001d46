"""`python -m services.mvp`: configuration, build, run."""

from chassis.lifecycle import main
from services.mvp.config import MvpConfig
from services.mvp.server import build

if __name__ == "__main__":
    main(build, MvpConfig)
