"""The public side: landing pages, counting, sign-ups and what a person may do with theirs."""
