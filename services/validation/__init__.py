"""The validation server: is an idea clear, new and safe to pursue?"""
