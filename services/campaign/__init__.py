"""The campaign service: a smoke test drafted from an idea. Ads, two landing pages, and a plan that is honest
about money.

Nothing is published and no visitor is counted here: the result is a draft, made of files that a founder can
read, change and put online.
"""
