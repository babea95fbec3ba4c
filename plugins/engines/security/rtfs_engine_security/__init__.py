"""The delegation engine `security`: what another engine decides, as far as rules about data and people allow."""
