"""What the campaign server keeps: drafts, published pages, visits, sign-ups, effects on platforms."""
