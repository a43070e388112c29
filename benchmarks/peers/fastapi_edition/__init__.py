"""The earlier edition's shape: FastAPI, SQLModel, google-genai, one prompt pasted."""
