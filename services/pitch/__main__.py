"""`python -m services.pitch`: configuration, build, run."""

from chassis.lifecycle import main
from services.pitch.config import PitchConfig
from services.pitch.server import build

if __name__ == "__main__":
    main(build, PitchConfig)
