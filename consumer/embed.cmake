# Makes a file a text of the program: cmake -DFROM=FILE -DTO=FILE.c -DNAME=name -P embed.cmake
file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "    \\1\n" bytes "${bytes}")
file(WRITE ${TO} "#include <relance/text.h>\n\nstatic const unsigned char bytes[] = {\n${bytes}};\n"
  "extern const struct relance_str ${NAME};\n"
  "const struct relance_str ${NAME} = {(const char *)bytes, sizeof bytes};\n")
