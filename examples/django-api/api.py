"""The quickstart's three routes. Pages of any origin may call them."""

from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from auth import requires_auth, requires_scope


@require_safe
def public(request):
    return JsonResponse({"message": "Anyone may read this."})


@require_safe
@requires_auth
def private(request):
    return JsonResponse({"message": "Your access token is valid."})


@require_safe
@requires_scope("read:messages")
def private_scoped(request):
    return JsonResponse({"message": "Your access token is valid and has the scope read:messages."})


def handler404(request, exception):
    return JsonResponse({"message": "There is nothing here."}, status=404)


def allow_browsers(get_response):  # CORS; a preflight carries no token, so it never reaches a guarded view
    def middleware(request):
        preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if preflight else get_response(request)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "WWW-Authenticate"
        response["Access-Control-Allow-Headers"] = "Authorization"
        return response

    return middleware


urlpatterns = [path("api/public", public), path("api/private", private), path("api/private-scoped", private_scoped)]
