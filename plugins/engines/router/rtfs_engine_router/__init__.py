"""The delegation engine `router`: a weak or a strong target, by a model fitted to labelled outcomes."""
