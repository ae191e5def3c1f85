"""The part of JSON Schema that the schemas of this project use: does one accept a value?"""
import re

KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float), "null": type(None)}


def is_kind(value, kind):
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def accepts(schema, value, whole):
    schema = resolved(schema, whole)
    if "type" in schema and not is_kind(value, schema["type"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "anyOf" in schema and not any(accepts(part, value, whole) for part in schema["anyOf"]):
        return False
    if isinstance(value, str):
        # In JavaScript, `$` is the end and nothing else.
        pattern = re.sub(r"\$$", r"\\Z", schema.get("pattern", ""))
        return len(value) >= schema.get("minLength", 0) and re.search(pattern, value) is not None
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(accepts(schema.get("items", {}), v, whole) for v in value)
    if is_kind(value, "number"):
        return value >= schema.get("minimum", value)
    if not isinstance(value, dict):
        return True
    if any(name not in value for name in schema.get("required", [])):
        return False
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        return False
    return all(accepts_member(member_schema(schema, name), member, whole) for name, member in value.items())


def accepts_member(schema, member, whole):
    return schema is not False and accepts(schema, member, whole)


def member_schema(schema, name):
    return schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))


def resolved(schema, whole):
    """What a reference leads to."""
    if "allOf" in schema:
        (schema,) = schema["allOf"]
    return whole["definitions"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
