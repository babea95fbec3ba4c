"""The delegation engine `resilient`: a primary while it is well, and what comes after it."""
