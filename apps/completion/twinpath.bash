# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Completion for bash: subcommands, the options that --help tells, files where files are wanted.

_twinpath() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]}
  local command=("$program") words
  COMPREPLY=()
  if [[ ${program##*/} == twinpath ]]; then
    if ((COMP_CWORD == 1)); then
      words='check explain parity reload stats top doctor --help --version'
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
      return
    fi
    command+=("${COMP_WORDS[1]}")
  fi
  case $previous in
    --mode | --forward | --idle)
      words='auto native generic'
      if [[ ${program##*/} == twinpath-splice ]]; then words='auto sockmap splice copy'; fi
      if [[ $previous == --forward ]]; then words='pass drop reflect wire'; fi
      if [[ $previous == --idle ]]; then words='busy adaptive'; fi
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
      return
      ;;
  esac
  if [[ $word == -* ]]; then
    words=$("${command[@]}" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}

complete -o filenames -F _twinpath twinpath twinpath-dpdk twinpath-xdp twinpath-splice
