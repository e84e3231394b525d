"""The commands beside `advise` itself: what each takes and what it does."""

COMMANDS = {
    "run": ("RECIPE --data SOURCE --out DIR", "run a recipe and report"),
    "search": ("[options]", "search for the recipes that best meet the goals"),
    "check": ("RECIPE…", "review recipes by the rules"),
    "diff": ("OLD NEW", "show what changed in a recipe's effect"),
    "gate": ("RUN_DIR", "check a finished run before it is deployed"),
    "explain": ("RULE|RECIPE", "show a rule's page, or why a recipe is as it is"),
    "report": ("RUN_DIR… --html FILE", "show finished runs as a page or as tables"),
    "history": ("[show|export|import|add]", "list recorded runs, predicted beside measured"),
    "rules": ("list|test|verify|diff|new|docs", "work on rule packs"),
    "families": ("[add MODEL]", "list the models that are described, or describe one more"),
    "doctor": ("", "show what this machine offers, and what follows"),
    "schema": ("recipe|rule|pack|…", "print JSON Schemas for editors and other tools"),
    "server": ("", "serve an editor: findings, fixes and completion"),
    "completion": ("bash|zsh|tcsh", "print a script that completes commands in a shell"),
    "demo": ("--out DIR", "advise, run and report on a small real model and data"),
}
