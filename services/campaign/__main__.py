"""`python -m services.campaign`: configuration, build, run."""

from chassis.lifecycle import main
from services.campaign.config import CampaignConfig
from services.campaign.server import build

if __name__ == "__main__":
    main(build, CampaignConfig)
