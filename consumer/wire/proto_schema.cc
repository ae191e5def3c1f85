/* The only file that sees libprotobuf. Its parser and its descriptors turn .proto files into the tables of
 * proto_type.h, which live in an arena; nothing of libprotobuf is left when that is done. */
#include <stdbool.h>
#include <string.h>
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* what C++ calls so where a function is named as a struct is */
extern "C" {
#include "wire/proto_type.h"
}
#pragma GCC diagnostic pop

#include <algorithm>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <map>
#include <new>
#include <string>
#include <vector>

namespace pb = google::protobuf;

namespace
{
/* Brackets within each other: the parser follows them by calling itself. */
constexpr size_t depth_max = 200;

/* Confluent's registry lets these be imported without a reference, as it does Google's. */
constexpr const char *confluent_files[][2] = {
    {"confluent/meta.proto",
     "syntax = \"proto3\"; package confluent; import \"google/protobuf/descriptor.proto\";"
     "message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }"
     "extend google.protobuf.FileOptions { Meta file_meta = 1088; }"
     "extend google.protobuf.MessageOptions { Meta message_meta = 1088; }"
     "extend google.protobuf.FieldOptions { Meta field_meta = 1088; }"
     "extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }"
     "extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }"},
    {"confluent/type/decimal.proto",
     "syntax = \"proto3\"; package confluent.type;"
     "message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }"},
};

/* Mistakes, of which the first is told: who wrote the schema is not who reads this. */
struct Mistakes : pb::io::ErrorCollector, pb::DescriptorPool::ErrorCollector {
    std::string first;

    void AddError(int line, pb::io::ColumnNumber column, const std::string &message) override
    {
        keep(std::to_string(line + 1) + ":" + std::to_string(column + 1) + ": " + message);
    }
    void AddError(const std::string &, const std::string &element, const pb::Message *, ErrorLocation,
                  const std::string &message) override
    {
        keep(element + ": " + message);
    }
    void keep(const std::string &sentence)
    {
        if (first.empty()) first = sentence.substr(0, 300);
    }
};

/* The end of the comment or text that begins at `at`; `at` where none does. */
size_t passage_end(const std::string &text, size_t at)
{
    auto behind = [&](const char *close, size_t from) {
        size_t end = text.find(close, from);
        return end == std::string::npos ? text.size() : end + strlen(close);
    };
    if (text.compare(at, 2, "//") == 0) return behind("\n", at);
    if (text.compare(at, 2, "/*") == 0) return behind("*/", at + 2);
    if (text[at] != '"' && text[at] != '\'') return at;
    for (size_t i = at + 1; i < text.size() && text[i] != '\n'; i++) {
        if (text[i] == text[at]) return i + 1;
        i += text[i] == '\\';
    }
    return text.size();
}

bool is_too_deep(const std::string &text)
{
    size_t depth = 0;
    for (size_t at = 0; at < text.size() && depth <= depth_max;) {
        size_t end = passage_end(text, at);
        if (end == at) end++;
        char c = end == at + 1 ? text[at] : ' ';
        if (c == '{' || c == '[' || c == '(' || c == '<') depth++;
        if ((c == '}' || c == ']' || c == ')' || c == '>') && depth > 0) depth--;
        at = end;
    }
    return depth > depth_max;
}

/* Reads .proto files into a pool, and those that are known to everybody when they are imported. */
struct Reader {
    pb::DescriptorPool pool;
    Mistakes mistakes;

    const pb::FileDescriptor *read(const std::string &name, const std::string &text)
    {
        if (const pb::FileDescriptor *there = pool.FindFileByName(name)) return there;
        if (name.compare(0, 16, "google/protobuf/") == 0 && import_known(name))
            return pool.FindFileByName(name);
        pb::FileDescriptorProto file;
        if (is_too_deep(text)) {
            mistakes.keep("its brackets nest too deep");
            return nullptr;
        }
        pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
        pb::io::Tokenizer tokens(&stream, &mistakes);
        pb::compiler::Parser parser;
        parser.RecordErrorsTo(&mistakes);
        if (!parser.Parse(&tokens, &file)) return nullptr;
        file.set_name(name);
        for (const std::string &imported : file.dependency())
            import_known(imported);
        return pool.BuildFileCollectingErrors(file, &mistakes);
    }

    /* A file that everybody may import, with what it imports itself. False: it is none. */
    bool import_known(const std::string &name)
    {
        if (pool.FindFileByName(name)) return true;
        for (auto &known : confluent_files)
            if (name == known[0]) return read(name, known[1]) != nullptr;
        const pb::FileDescriptor *file = pb::DescriptorPool::generated_pool()->FindFileByName(name);
        if (!file) return false;
        pb::FileDescriptorProto copy;
        file->CopyTo(&copy);
        for (const std::string &imported : copy.dependency())
            import_known(imported);
        return pool.BuildFileCollectingErrors(copy, &mistakes) != nullptr;
    }
};

proto_kind kind_of(const pb::FieldDescriptor &field)
{
    switch (field.type()) {
    case pb::FieldDescriptor::TYPE_DOUBLE: return PROTO_DOUBLE;
    case pb::FieldDescriptor::TYPE_FLOAT: return PROTO_FLOAT;
    case pb::FieldDescriptor::TYPE_INT32: return PROTO_INT32;
    case pb::FieldDescriptor::TYPE_INT64: return PROTO_INT64;
    case pb::FieldDescriptor::TYPE_UINT32: return PROTO_UINT32;
    case pb::FieldDescriptor::TYPE_UINT64: return PROTO_UINT64;
    case pb::FieldDescriptor::TYPE_SINT32: return PROTO_SINT32;
    case pb::FieldDescriptor::TYPE_SINT64: return PROTO_SINT64;
    case pb::FieldDescriptor::TYPE_FIXED32: return PROTO_FIXED32;
    case pb::FieldDescriptor::TYPE_FIXED64: return PROTO_FIXED64;
    case pb::FieldDescriptor::TYPE_SFIXED32: return PROTO_SFIXED32;
    case pb::FieldDescriptor::TYPE_SFIXED64: return PROTO_SFIXED64;
    case pb::FieldDescriptor::TYPE_BOOL: return PROTO_BOOL;
    case pb::FieldDescriptor::TYPE_ENUM: return PROTO_ENUM;
    case pb::FieldDescriptor::TYPE_STRING: return PROTO_STRING;
    case pb::FieldDescriptor::TYPE_BYTES: return PROTO_BYTES;
    default: return PROTO_MESSAGE;
    }
}

/* Google's own files are always those that came with libprotobuf: a form that writes no bracket cannot be given to a
 * message that holds itself. */
proto_form form_of(const pb::Descriptor &message)
{
    const std::string &name = message.full_name();
    if (name == "confluent.type.Decimal") return PROTO_DECIMAL;
    switch (message.file()->name().compare(0, 16, "google/protobuf/")
                ? pb::Descriptor::WELLKNOWNTYPE_UNSPECIFIED
                : message.well_known_type()) {
    case pb::Descriptor::WELLKNOWNTYPE_UNSPECIFIED:
    case pb::Descriptor::WELLKNOWNTYPE_ANY:
    case pb::Descriptor::WELLKNOWNTYPE_FIELDMASK: return PROTO_FIELDS;
    case pb::Descriptor::WELLKNOWNTYPE_TIMESTAMP: return PROTO_TIMESTAMP;
    case pb::Descriptor::WELLKNOWNTYPE_DURATION: return PROTO_DURATION;
    case pb::Descriptor::WELLKNOWNTYPE_VALUE: return PROTO_NEWEST;
    default: return PROTO_FIRST;
    }
}

/* Descriptors into tables. Messages are numbered as they are met; each is filled when its turn comes. */
struct Tables {
    struct arena *arena;
    std::vector<const pb::Descriptor *> met;
    std::map<const pb::Descriptor *, proto_message *> messages;
    std::map<const pb::EnumDescriptor *, proto_enum *> enums;

    template <typename T> T *make(size_t count)
    {
        void *room = arena_alloc_zero(arena, sizeof(T) * (count ? count : 1));
        if (!room) throw std::bad_alloc();
        return static_cast<T *>(room);
    }

    str keep(const std::string &text)
    {
        char *copy = make<char>(text.size());
        memcpy(copy, text.data(), text.size());
        return {copy, text.size()};
    }

    /* Names are identifiers: nothing in them has to be escaped. */
    str quoted(const std::string &name, const char *behind)
    {
        return keep("\"" + name + "\"" + behind);
    }

    proto_message *message(const pb::Descriptor *from)
    {
        proto_message *&made = messages[from];
        if (!made) {
            made = make<proto_message>(1);
            met.push_back(from);
        }
        return made;
    }

    const proto_enum *symbols(const pb::EnumDescriptor *from)
    {
        proto_enum *&made = enums[from];
        if (made) return made;
        std::map<int, std::string> names; /* of several with one number the first */
        for (int i = 0; i < from->value_count(); i++)
            names.emplace(from->value(i)->number(), from->value(i)->name());
        made = make<proto_enum>(1);
        made->symbols = make<proto_symbol>(names.size());
        made->first = from->value(0)->number();
        bool null = from->full_name() == "google.protobuf.NullValue";
        for (auto &[number, name] : names)
            made->symbols[made->count++] = {number, null ? keep("null") : quoted(name, "")};
        return made;
    }

    void fill_field(proto_field &to, const pb::FieldDescriptor &from)
    {
        to.number = static_cast<uint32_t>(from.number());
        to.kind = kind_of(from);
        to.repeated = from.is_repeated();
        to.map = from.is_map();
        to.always = from.is_repeated() || !from.has_presence();
        to.key = quoted(from.name(), ":");
        if (from.message_type()) to.message = message(from.message_type());
        if (from.enum_type()) to.names = symbols(from.enum_type());
    }

    void fill(proto_message &to, const pb::Descriptor &from)
    {
        std::vector<const pb::FieldDescriptor *> fields;
        for (int i = 0; i < from.field_count(); i++)
            if (from.field(i)->type() != pb::FieldDescriptor::TYPE_GROUP) fields.push_back(from.field(i));
        to.name = keep(from.full_name());
        to.form = form_of(from);
        to.count = fields.size();
        to.fields = make<proto_field>(to.count);
        to.by_number = make<uint32_t>(to.count);
        for (size_t i = 0; i < to.count; i++) {
            fill_field(to.fields[i], *fields[i]);
            to.by_number[i] = static_cast<uint32_t>(i);
        }
        std::sort(to.by_number, to.by_number + to.count,
                  [&](uint32_t a, uint32_t b) { return to.fields[a].number < to.fields[b].number; });
        to.nested = make<const proto_message *>(static_cast<size_t>(from.nested_type_count()));
        for (int i = 0; i < from.nested_type_count(); i++)
            if (!from.nested_type(i)->options().map_entry())
                to.nested[to.nested_count++] = message(from.nested_type(i));
    }

    const proto_schema *schema(const pb::FileDescriptor &file)
    {
        proto_schema *made = make<proto_schema>(1);
        made->count = static_cast<size_t>(file.message_type_count());
        made->messages = make<const proto_message *>(made->count);
        for (size_t i = 0; i < made->count; i++)
            made->messages[i] = message(file.message_type(static_cast<int>(i)));
        for (size_t i = 0; i < met.size(); i++)
            fill(*messages[met[i]], *met[i]);
        made->all_count = met.size();
        made->all = make<const proto_message *>(made->all_count);
        for (size_t i = 0; i < made->all_count; i++)
            made->all[i] = messages[met[i]];
        return made;
    }
};

/* libprotobuf tells mistakes on stderr, too. */
void be_quiet()
{
    static bool quiet = (pb::SetLogHandler(nullptr), true);
    (void)quiet;
}
} // namespace

enum relance_status proto_compile(struct arena *arena, const struct proto_file *files, size_t count,
                                  const struct proto_schema **out, struct relance_error *error)
try {
    be_quiet();
    Reader reader;
    const pb::FileDescriptor *file = nullptr;
    for (size_t i = 0; i < count; i++) {
        std::string name(files[i].name.data, files[i].name.size),
            text(files[i].text.data, files[i].text.size);
        file = reader.read(name, text);
        if (!file)
            return relance_error_set(error, RELANCE_INVALID, "the Protobuf schema %.200s is wrong: %s",
                                     name.c_str(), reader.mistakes.first.c_str());
    }
    Tables tables{arena, {}, {}, {}};
    *out = tables.schema(*file);
    return RELANCE_OK;
} catch (const std::bad_alloc &) {
    return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for a Protobuf schema");
}
