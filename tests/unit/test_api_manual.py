"""What the page of the API shows of an OpenAPI document."""

from feedsvc.web.api.manual import manual

TEXT = {"type": "string", "description": "A text."}
DOCUMENT = {
    "tags": [{"name": "things", "description": "Things."}],
    "paths": {
        "/things/{id}": {
            "patch": {
                "operationId": "changeThing",
                "tags": ["things"],
                "summary": "Changes it.",
                "security": [{"admin": []}],
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {
                        "name": "n",
                        "in": "query",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 9, **TEXT},
                    },
                ],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Change"}}
                    }
                },
                "responses": {
                    "204": {"description": "Done."},
                    "200": {
                        "description": "OK",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                        },
                    },
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Change": {
                "properties": {"title": {"anyOf": [TEXT, {"type": "null"}]}},
            },
            "Thing": {
                "description": "A thing.",
                "required": ["parts"],
                "properties": {
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                    "kind": {"enum": ["a", "b"]},
                    "at": {"type": "string", "format": "date-time"},
                },
            },
            "Parameters": {"properties": {"n": {"type": "integer"}}},
        }
    },
}


def test_operations_records_and_types_in_words() -> None:
    page = manual(DOCUMENT)
    (chapter,) = page.chapters
    (one,) = chapter.operations
    assert (one.method, one.path, one.admin) == ("PATCH", "/things/{id}", True)
    assert [(field.name, field.place, field.required) for field in one.parameters] == [
        ("id", "path", True),
        ("n", "query", False),
    ]
    assert one.parameters[1].type == "string, 1 to 9"
    assert [(field.name, field.type, field.told) for field in one.body] == [
        ("title", "string or null", "A text.")
    ]
    assert [(reply.status, reply.record) for reply in one.replies] == [
        ("200", "Thing"),
        ("204", None),
    ]
    # records of what is asked stand with the operation
    (record,) = page.records
    assert [(field.name, field.type, field.required) for field in record.fields] == [
        ("parts", "list of Thing", True),
        ("kind", "“a” or “b”", False),
        ("at", "date-time", False),
    ]
