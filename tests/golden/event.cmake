# Reading events: lines of what goes in and what comes out, in event/*.txt.
add_executable(golden_event event/golden_event.c)
target_include_directories(golden_event PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
target_link_libraries(golden_event PRIVATE rules_event)
file(GLOB golden_event_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/event/*.txt)
add_test(NAME golden_event COMMAND golden_event ${golden_event_files})
