# Every action that the goldens and simulated shops lead to, against consumer/senders/action.schema.json.
if(TARGET relance AND TARGET forgetful)
  add_test(NAME golden_actions COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/actions/run.py $<TARGET_FILE:relance> $<TARGET_FILE:forgetful>)
endif()
