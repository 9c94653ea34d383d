# Stream the recording that comes with the client, and look for its words.
set -eu
recording=$(python3 -c 'from importlib.resources import files; print(files("voxtide") / "demo" / "recording.flac")')
heard=$(voxtide stream "$recording")
echo "$heard"
for word in kitchen lights timer music bedroom door; do
  case "$heard" in
    *"$word"*) ;;
    *) echo "not heard: $word" >&2; exit 1 ;;
  esac
done
