#!/bin/sh
# Makes certificates for tests and the demo in the directory given: CAs like those of departments, gateway, origin,
# recipients. They are worth nothing outside of it; keys never go into the repository.
#
#   gateway.pem .key           server, localhost 127.0.0.1 ::1      gateway-ca.pem      who signed it
#   origin.pem .key            server, localhost 127.0.0.1 ::1      origin-ca.pem       who signed it
#   gw-client.pem .key         the gateway's own, towards the origin
#   recipients-ca.pem          DHS CA4, DOJ CA, State CA, Edge CA: what a gateway trusts for its clients
#   dhs-ca.pem doj-ca.pem state-ca.pem edge-ca.pem                         each of them alone
#   uscis-officer doj-attorney state-police leis portal unlisted    .pem .key of recipients ("unlisted": DHS CA4, but
#                                                                   in no list of recipients)
#   edge.pem .key              by Edge CA: a trusted proxy, towards the gateway
#   stranger.pem .key          by a CA that nobody trusts
set -eu
if [ $# -ne 1 ]; then
    echo "usage: make-test-certs.sh DIRECTORY" >&2
    exit 2
fi
umask 077
mkdir -p "$1"
cd "$1"
work=$(mktemp -d ./work.XXXXXX)
trap 'rm -rf "$work"' EXIT INT TERM

run() { openssl "$@" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }; }

authority() { # name subject
    run req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "$2" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout "$work/$1.key" -out "$1.pem"
}

issue() { # authority name subject purpose [subjectAltName]
    {
        echo "basicConstraints=critical,CA:FALSE"
        echo "keyUsage=critical,digitalSignature"
        echo "extendedKeyUsage=$4"
        if [ $# -gt 4 ]; then echo "subjectAltName=$5"; fi
    } >"$work/extensions"
    run req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" -keyout "$2.key" -out "$work/request"
    run x509 -req -in "$work/request" -CA "$1.pem" -CAkey "$work/$1.key" -CAcreateserial -CAserial "$work/$1.srl" \
        -days 30 -extfile "$work/extensions" -out "$2.pem"
}

below() { # authority name subject: a CA below a CA
    printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' >"$work/extensions"
    run req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" -keyout "$work/$2.key" -out "$work/request"
    run x509 -req -in "$work/request" -CA "$1.pem" -CAkey "$work/$1.key" -CAcreateserial -CAserial "$work/$1.srl" \
        -days 30 -extfile "$work/extensions" -out "$2.pem"
}

here="DNS:localhost,IP:127.0.0.1,IP:::1"
government="/C=US/O=U.S. Government"
authority gateway-ca "/CN=Gateway Test CA"
authority origin-ca "/CN=Origin Test CA"
authority dhs-ca "$government/OU=Department of Homeland Security/CN=DHS CA4"
authority doj-ca "$government/OU=Department of Justice/CN=DOJ CA"
authority state-ca "/O=Example State/CN=State CA"
authority edge-ca "/O=Example Edge/CN=Edge CA"
authority stranger-ca "/CN=Nobody CA"
issue gateway-ca gateway "/CN=localhost" serverAuth "$here"
issue origin-ca origin "/CN=localhost" serverAuth "$here"
issue origin-ca gw-client "/CN=gate1367" clientAuth
issue dhs-ca uscis-officer "$government/OU=USCIS/CN=Test Officer" clientAuth
issue dhs-ca leis "$government/OU=DHS/CN=leis" clientAuth
issue dhs-ca unlisted "$government/OU=FEMA/CN=Test Nobody" clientAuth
issue doj-ca doj-attorney "$government/OU=DOJ/CN=Test Attorney" clientAuth
issue doj-ca portal "$government/OU=DOJ/CN=portal" clientAuth
issue state-ca state-police "/O=Springfield State Police/CN=sp-client" clientAuth
issue stranger-ca stranger "/CN=sp-client" clientAuth
issue edge-ca edge "/O=Example Edge/CN=edge" clientAuth
below state-ca would-be-dhs-ca "$government/OU=Department of Homeland Security/CN=DHS CA4"
issue would-be-dhs-ca would-be-officer "$government/OU=USCIS/CN=Test Officer" clientAuth
cat would-be-dhs-ca.pem >>would-be-officer.pem
below dhs-ca dhs-field-ca "$government/CN=DHS Field CA"
issue dhs-field-ca field-officer "$government/OU=USCIS/CN=Test Field Officer" clientAuth
cat dhs-field-ca.pem >>field-officer.pem
cat dhs-ca.pem doj-ca.pem state-ca.pem edge-ca.pem >recipients-ca.pem
rm -f stranger-ca.pem
