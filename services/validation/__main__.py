"""`python -m services.validation`: configuration, build, run."""

from chassis.lifecycle import main
from services.validation.config import ValidationConfig
from services.validation.server import build

if __name__ == "__main__":
    main(build, ValidationConfig)
