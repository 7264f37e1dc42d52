# Completion of gate1367 for bash: source it, or install it as share/bash-completion/completions/gate1367.
# A test holds it against what `gate1367 help` says.

_gate1367_kinds="alien_number receipt_number ssn itin i94 sevis passport visa_foil fbi_number fin sid driver_license person_id
event_number case_number phone email vehicle address location organization"

_gate1367_commands="serve check demo scan rules registry log report probe witness help"
# By command, or by command and verb.
declare -gA _gate1367_verbs=(
    [rules]="test lint explain replay print schema"
    [registry]="build apply inspect lookup list clear accept"
    [log]="init verify list show follow prove export rotate recover approve schedule destroy"
    [report]="accounting quarterly incidents reconcile"
    [witness]="init serve")
declare -gA _gate1367_options=(
    [serve]="-c --config --mirror --json"
    [check]="-c --config --json"
    [demo]="--keep"
    [scan]="-c --config --recipient --route --write --type --jobs --json"
    [probe]="-c --config --pairs --calibrate --trips --worlds --certificate --key --purpose --listener --count --connections --rate --load
        --seed --svg --json"
    [rules test]="--json"
    [rules lint]="--json"
    [rules replay]="-c --rules --json"
    [rules explain]="-c --profile --recipient --path --type --protected --query --json"
    [rules print]=""
    [rules schema]=""
    [registry build]="-o --output --key --release-approved --json"
    [registry apply]="-c --config --json"
    [registry inspect]="--key --json"
    [registry lookup]="-c --config --system --json"
    [registry list]="-c --config --suspected --json"
    [registry clear]="-c --config --by --reason --json"
    [log init]="-c --directory --key --origin --segment --json"
    [log verify]="-c --directory --verifier --checkpoint --witness --json"
    [log prove]="-c --directory --verifier -o --output"
    [log rotate]="-c --new-directory --new-key --new-origin"
    [log recover]="-c --new-directory --new-key --new-origin --reason --approval -o --output"
    [log approve]="--key --name"
    [log schedule]="-c"
    [log destroy]="-c --epoch --reason --approval -o --output"
    [witness init]="--key --name --state"
    [witness serve]="--listen --key --name --state --logs"
    [log list]="-c --directory --verifier --recipient --outcome --event --rule --grant --request --subject --since --until --unseal --index --json"
    [log show]="-c --directory --verifier --unseal --json"
    [log follow]="-c --directory --verifier --recipient --outcome --event --rule --grant --request --subject --since --until --unseal --json"
    [log export]="-c --directory --verifier --recipient --outcome --event --rule --grant --request --subject --since --until --unseal --format -o --output --json"
    [report accounting]="-c --directory --verifier --subject --since --until --quarter --unseal --format -o --output --json"
    [report quarterly]="-c --directory --verifier --since --until --quarter --unseal --format -o --output --json"
    [report incidents]="-c --directory --verifier --since --until --quarter --unseal --format -o --output --json"
    [report reconcile]="-c --directory --verifier --since --until --upstream --gateway --format -o --output --json"
    [help]="")

_gate1367_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }

_gate1367_files() {
    mapfile -t COMPREPLY < <(compgen -f ${2:+-X "!*.$2"} -- "$1"; compgen -d -- "$1")
    compopt -o filenames 2>/dev/null || true
}

# The value of the option before; false where that takes none.
_gate1367_value() {
    case $1 in
    -c | --config) _gate1367_files "$2" json ;;
    --pairs) _gate1367_files "$2" json ;;
    --worlds | --certificate | --svg) _gate1367_files "$2" ;;
    --trips | --purpose | --listener | --count | --connections | --rate | --load | --seed) COMPREPLY=() ;;
    -o | --output) _gate1367_files "$2" idx ;;
    --key | --write | --directory | --unseal | --index | --checkpoint | --new-directory | --new-key | --approval | --state | --logs) _gate1367_files "$2" ;;
    --format) _gate1367_words "text csv json html jsonl ocsf ecs cef syslog sqlite" "$2" ;;
    --type) _gate1367_words "application/json application/x-ndjson" "$2" ;;
    --outcome) _gate1367_words "clear disclosed uninspected authorized withheld blocked refused failed_closed shadow" "$2" ;;
    --event) _gate1367_words "disclosure refusal completion summary registry grant config rules incident audit start stop key" "$2" ;;
    --recipient) _gate1367_words "anonymous restricted entitled" "$2" ;;
    --profile | --path | --route | --protected | --jobs | --release-approved | --system | --verifier | --origin | --segment | \
        --since | --until | --listen | --name | --by | --witness | --epoch | --query | --new-origin | --reason | --rule | --grant | --request | --subject | --quarter | --upstream | --gateway) COMPREPLY=() ;;
    *) return 1 ;;
    esac
}

_gate1367_operands() {
    case $1 in
    help) _gate1367_words "$_gate1367_commands" "$2" ;;
    "rules schema") _gate1367_words "rules gate recipients registry-source pairs" "$2" ;;
    "registry lookup") _gate1367_words "$_gate1367_kinds" "$2" ;;
    check | demo | probe) COMPREPLY=() ;;
    *) _gate1367_files "$2" ;;
    esac
}

_gate1367() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} place
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        _gate1367_words "$_gate1367_commands --version --help" "$word"
        return
    fi
    place=$command
    if [[ -n ${_gate1367_verbs[$command]} ]]; then
        if ((COMP_CWORD == 2)); then
            _gate1367_words "${_gate1367_verbs[$command]} --help" "$word"
            return
        fi
        place="$command ${COMP_WORDS[2]}"
    fi
    _gate1367_value "$before" "$word" && return
    if [[ $word == -* ]]; then
        _gate1367_words "${_gate1367_options[$place]} --help" "$word"
    else
        _gate1367_operands "$place" "$word"
    fi
}

complete -F _gate1367 gate1367
