"""An API in Django without a line about authentication: nginx and `tokenhouse gate` let through who may pass."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.management.commands.runserver import Command
from django.http import JsonResponse
from django.urls import re_path

Command.default_port = "3012"
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost", "127.0.0.1"], DEBUG=False)


def answer(request):
    caller = {name.lower(): value for name, value in request.headers.items() if name.startswith("X-Auth-")}
    return JsonResponse({"method": request.method, "path": request.path, "caller": caller})


urlpatterns = [re_path("", answer)]

if __name__ == "__main__":
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    execute_from_command_line([sys.argv[0], "runserver", "--noreload", *sys.argv[1:]])
