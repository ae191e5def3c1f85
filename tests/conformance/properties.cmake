# What holds of every rule set and every stream of events: run.py has a test for each property, forgetful is the engine
# that keeps nothing. Under sanitizers fewer seeds; that properties can fail is shown once.
add_executable(forgetful ${CMAKE_CURRENT_LIST_DIR}/forgetful.c)
target_include_directories(forgetful PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
target_link_libraries(forgetful PRIVATE rules_rule)
set(properties python3 ${CMAKE_CURRENT_SOURCE_DIR}/properties/run.py $<TARGET_FILE:relance> $<TARGET_FILE:forgetful>)
if(RELANCE_SANITIZE)
  add_test(NAME conformance_properties COMMAND ${properties} --seeds 1-20)
else()
  add_test(NAME conformance_properties COMMAND ${properties} --seeds 1-60 --seconds 14)
  add_test(NAME conformance_properties_sabotage COMMAND ${properties} --sabotage)
endif()
