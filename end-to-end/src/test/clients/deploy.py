"""deploy.py API TOKEN ARCHIVE: by the client that openapi-generator makes for Python."""

import sys

from openapi_client import ApiClient, Configuration, FunctionsApi, Problem
from openapi_client.exceptions import NotFoundException

api, token, archive = sys.argv[1:]

with ApiClient(Configuration(host=api, access_token=token)) as client:
    functions = FunctionsApi(client)
    with open(archive, "rb") as zip:
        function = functions.deploy_function(
            "from-python", zip.read(), runtime="nodejs", handlers=2, memory="64M", env=["GREETING=hello"]
        )
    print(function.name, function.state, len(function.handlers), function.spec.memory)

    try:
        functions.get_function("nobody")
    except NotFoundException as e:
        print(Problem.from_json(e.body).type)
