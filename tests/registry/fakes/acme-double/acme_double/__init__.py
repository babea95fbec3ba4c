"""A plugin that offers names which others offer too."""
