"""The model provider `echo`: answers what it was asked, so that hosts can be tested without a model or a mock."""
