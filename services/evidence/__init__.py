"""The evidence service: what speaks for and against the claims that an idea rests on, cited and scored."""
