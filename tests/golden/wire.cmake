# Wire formats: bytes of records as JSON, by schema files and by a registry that answers, refuses, hangs or is away.
find_package(Python3 COMPONENTS Interpreter REQUIRED)
add_executable(wire_tool wire/wire_tool.c)
target_link_libraries(wire_tool PRIVATE relance_shell)
add_test(NAME golden_wire COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/wire/run.py $<TARGET_FILE:wire_tool>)
