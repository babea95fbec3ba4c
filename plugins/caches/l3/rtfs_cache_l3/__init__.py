"""The cache layer `l3`: experience. In which contexts which plans were made, and what came of them, by nearness."""
