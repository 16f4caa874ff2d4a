"""The usage models beside the plainest ways to compute the same tables from the same files."""
