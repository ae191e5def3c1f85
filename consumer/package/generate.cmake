# What is made when it is installed, because it asks the program or names the place that it is installed to: manual pages,
# completion, units, and the changelog of Debian. Needs RELANCE, the program; FROM, this folder; PREFIX; VERSION and MAINTAINER of
# the package.
cmake_policy(VERSION 3.20)
set(to "$ENV{DESTDIR}${PREFIX}")

function(print_to file)
  execute_process(COMMAND ${RELANCE} ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  file(WRITE "${to}/share/${file}" "${text}")
endfunction()

function(compress file)
  execute_process(COMMAND gzip --best --no-name --force "${to}/share/${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# unit(NAME COMMAND CONF DESCRIPTION): of a command with the options of /etc/relance/CONF.conf
function(unit NAME COMMAND CONF DESCRIPTION)
  set(RELOAD "")
  if("${COMMAND}" STREQUAL run)
    set(RELOAD "# It reads the rule files again.\nExecReload=sh -c 'kill -HUP $MAINPID'\n")
  endif()
  configure_file(${FROM}/relance.service.in "${to}/lib/systemd/system/${NAME}" @ONLY NO_SOURCE_PERMISSIONS)
endfunction()

file(STRINGS ${FROM}/../command.def commands REGEX "^COMMAND")
print_to(man/man1/relance.1 help man)
compress(man/man1/relance.1)
foreach(command ${commands})
  string(REGEX REPLACE "^COMMAND\\([A-Z_]+, [a-z_]+, \"([a-z-]+)\".*" "\\1" command "${command}")
  print_to(man/man1/relance-${command}.1 help man ${command})
  compress(man/man1/relance-${command}.1)
endforeach()

print_to(bash-completion/completions/relance help completion bash)
print_to(zsh/vendor-completions/_relance help completion zsh)
print_to(fish/vendor_completions.d/relance.fish help completion fish)

unit(relance.service run relance "Relance")
unit(relance@.service run %i "Relance %i")
unit(relance-learn.service learn relance "Relance, what goes with what")
unit(relance-learn@.service learn %i "Relance, what goes with what for %i")
unit(relance-intake@.service intake %i "Relance, topics of other pipelines for %i")

string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE "${to}/share/doc/relance/changelog.Debian"
  "relance (${VERSION}) stable; urgency=medium\n\n  * What has changed is told in changelog.gz.\n\n -- ${MAINTAINER}  ${now}\n")
compress(doc/relance/changelog.Debian)
configure_file(${FROM}/../../CHANGELOG.md "${to}/share/doc/relance/changelog" COPYONLY NO_SOURCE_PERMISSIONS)
compress(doc/relance/changelog)
