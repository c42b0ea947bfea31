"""Runs the API: `python manage.py runserver` listens on 127.0.0.1:3011."""

import os
import sys

from django.core.management import execute_from_command_line
from django.core.management.commands.runserver import Command

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
Command.default_port = "3011"
execute_from_command_line(sys.argv)
