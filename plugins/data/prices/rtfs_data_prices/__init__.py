"""What models cost, out of the package genai-prices."""
