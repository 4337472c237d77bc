# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Completion for bash: subcommands, the options that --help lists, and values: policies and profiles
# (JSON files in the current folder, and the installed ones), interfaces, paths, file prefixes, words.

# Prints the folder of the installed data, which is beside the programs.
_twinpath_data() {
  local program
  program=$(command -v twinpath) || return
  printf '%s' "${program%/*/*}/share/twinpath"
}

# _twinpath_json policies|profiles WORD: JSON files and folders, and the installed files.
_twinpath_json() {
  local data word=$2
  mapfile -t COMPREPLY < <({
    compgen -d -- "$word"
    compgen -f -X '!*.json' -- "$word"
    data=$(_twinpath_data)
    if [[ $data && ($data/$1/ == "$word"* || $word == "$data"*) ]]; then
      { compgen -G "$data/$1/*.json"; if [[ $1 == policies ]]; then compgen -G "$data/$1/*/*.json"; fi; } | grep -F -- "$word"
    fi
  } | sort -u)
}

# _twinpath_port NAME=DEVICE: interfaces after the '=', at which bash splits words.
_twinpath_port() {
  local name='' word=$1
  if [[ $word == *=* && $word != = ]]; then name=${word%%=*}=; fi
  mapfile -t COMPREPLY < <(compgen -P "$name" -W "$(ls /sys/class/net 2>/dev/null)" -- "${word#*=}")
}

_twinpath() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]##*/}
  local command=("${COMP_WORDS[0]}") words='' sub=''
  COMPREPLY=()
  if [[ $program == twinpath ]]; then
    if ((COMP_CWORD == 1)); then
      words='check explain parity reload set stats top doctor generate receive compare sweep --help --version'
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
      return
    fi
    sub=${COMP_WORDS[1]}
    command+=("$sub")
  fi
  # Bash splits lan=eth0 into three words.
  if [[ $word == = && ${COMP_WORDS[COMP_CWORD - 2]} == --port ]] ||
    [[ $previous == = && ${COMP_WORDS[COMP_CWORD - 3]:-} == --port ]]; then
    _twinpath_port "$word"
    return
  fi
  case $program:$previous in
    *:--port)
      if [[ $program != twinpath || $sub =~ ^(generate|receive|compare)$ ]]; then _twinpath_port "$word"; fi
      return
      ;;
    *:--policy | *:--profile)
      if [[ $previous == --policy ]]; then words=policies; else words=profiles; fi
      if [[ $sub == compare ]]; then words=profiles/compare; fi
      _twinpath_json "$words" "$word"
      return
      ;;
    twinpath-splice:--mode) words='auto sockmap splice copy' ;;
    *:--backend) words='auto xdp af_packet af_xdp dpdk' ;;
    *:--gaps) words='constant poisson' ;;
    *:--spread) words='turn uniform zipf' ;;
    *:--mode) words='auto native generic' ;;
    *:--forward) words='pass drop reflect reflect-flow reflect-echo wire' ;;
    twinpath-dpdk:--idle) words='busy adaptive' ;;
    twinpath-socket:--engine) words='packet_mmap pcap pf_ring af_xdp' ;;
    twinpath:--engine) words='xdp-native xdp-generic dpdk dpdk-af_xdp af_xdp packet_mmap pcap pf_ring testpmd-io testpmd-macswap testpmd-5tswap xdp-drop xdp-tx xdp-redirect xdp-dilih route bridge nft tc-netem tc-tbf' ;;
    *:--checksums) words='complete leave' ;;
    *:--path) if [[ $sub =~ ^(explain|reload|set|sweep)$ ]]; then words='dpdk xdp socket'; else words='dpdk xdp socket splice'; fi ;;
    *:--file-prefix | *:-f) words=$(ls /var/run/dpdk 2>/dev/null) ;;
  esac
  if [[ $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  elif [[ $word == -* ]]; then
    words=$("${command[@]}" --help 2>/dev/null | grep -oE -- '^ +-[^ ]*' | grep -oE -- '--[a-z][a-z-]*' | sort -u)
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  elif [[ $sub =~ ^(check|explain|reload|compare|sweep)$ && $previous != -* || $sub == parity && $previous == parity ]]; then
    _twinpath_json policies "$word"
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}

complete -o filenames -F _twinpath twinpath twinpath-dpdk twinpath-xdp twinpath-socket twinpath-splice
