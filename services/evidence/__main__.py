"""`python -m services.evidence`: configuration -> build -> run."""

from chassis.lifecycle import main
from services.evidence.config import EvidenceConfig
from services.evidence.server import build

if __name__ == "__main__":
    main(build, EvidenceConfig)
