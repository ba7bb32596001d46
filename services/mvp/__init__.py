"""MVP service: a specification by rules, a project from templates, checks that were really run."""
