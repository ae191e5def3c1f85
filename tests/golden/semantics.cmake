# What the rule language does, a sentence a test: semantics/*.test, run like those of the commands.
if(TARGET relance)
  file(GLOB semantics CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/semantics/*.test)
  add_test(NAME golden_semantics
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/commands/run.py $<TARGET_FILE:relance> ${semantics})
endif()
