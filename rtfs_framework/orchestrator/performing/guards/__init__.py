"""Third-party checks of requests and replies: asked and judged (`guards`); what is no widening (`shape`)."""
