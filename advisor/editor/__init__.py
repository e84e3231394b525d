"""The language server: findings, explanations, fixes and completion while a file is written."""
