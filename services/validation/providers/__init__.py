"""What the validation server keeps: earlier ideas, behind a Protocol."""
