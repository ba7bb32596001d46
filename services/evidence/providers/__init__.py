"""The outside world of the evidence service, behind one small Protocol (`base.Provider`)."""
