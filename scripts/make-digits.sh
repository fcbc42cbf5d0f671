#!/usr/bin/env bash
# Makes the recordings of digits of the picture check: needed only when voices or languages change, for the
# files are kept with the code. Wants espeak-ng and sox, both packages of Debian.
# Each file is one digit of one voice: u-law, mono, 11025 Hz, silence cut off, about 5 KB.
set -euo pipefail

HERE=$(dirname "$0")
readonly HERE
readonly TARGET=$HERE/../lk_portal/security/digits

words_of() {
    case $1 in
        ru) echo "ноль один два три четыре пять шесть семь восемь девять" ;;
        en) echo "zero one two three four five six seven eight nine" ;;
    esac
}

# Language, letter of the voice, espeak's voice, its pitch (0 to 99), words a minute.
readonly VOICES="
ru a ru     42 120
ru b ru+f2  50 130
ru c ru+m3  36 122
ru d ru+f4  58 125
en a en-gb    42 130
en b en-us+f2 50 140
en c en-us+m3 36 135
"

record() { # language, letter, voice, pitch, speed
    local digit=0 word
    for word in $(words_of "$1"); do
        espeak-ng -v "$3" -p "$4" -s "$5" --stdout "$word." </dev/null |
            sox -q -R -t wav - -e mu-law -b 8 -c 1 "$TARGET/$1/$2$digit.wav" \
                highpass 70 \
                silence 1 0.01 0.4% reverse silence 1 0.01 0.4% fade t 0.02 reverse fade t 0.005 \
                rate 11025 compand 0.005,0.08 6:-60,-60,-30,-20,-10,-10,0,-6 norm -3
        digit=$((digit + 1))
    done
}

for name in espeak-ng sox; do
    command -v "$name" >/dev/null || "$HERE/apt-install.sh" "$name"
done
while read -r language letter voice pitch speed; do
    [ -n "$language" ] || continue
    mkdir -p "$TARGET/$language"
    record "$language" "$letter" "$voice" "$pitch" "$speed"
done <<<"$VOICES"
du -sbh "$TARGET" >&2
