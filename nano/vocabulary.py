"""The closed vocabulary, its pronunciations, and the token numbers of the checkpoint.

Every word is one token. As in the 4B model's tokenizer, a word's token carries its leading space,
so the decoded deltas of a stream join to text with single spaces.
"""

from typing import Final

DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS: Final = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
COMMANDS: Final = (
    *("hundred", "yes", "no", "stop", "start", "please"),
    *("turn", "on", "off", "the", "light", "lights", "kitchen", "bedroom", "door"),
    *("set", "timer", "for", "minute", "minutes"),
    *("play", "pause", "music", "volume", "up", "down", "open", "close"),
)
WORDS: Final = DIGITS + TEENS + TENS + COMMANDS

# Special tokens. The numbers 32 and 33 are those of the 4B model.
BOS: Final = 1
EOS: Final = 2
PAD: Final = 32
WORD_START: Final = 33
SPECIAL_TOKENS: Final = {
    0: "<unk>",
    BOS: "<s>",
    EOS: "</s>",
    3: "[INST]",
    4: "[/INST]",
    5: "[AVAILABLE_TOOLS]",
    6: "[/AVAILABLE_TOOLS]",
    7: "[TOOL_RESULTS]",
    8: "[/TOOL_RESULTS]",
    9: "[TOOL_CALLS]",
    10: "[IMG]",
    11: "<pad>",
    12: "[IMG_BREAK]",
    13: "[IMG_END]",
    14: "[PREFIX]",
    15: "[MIDDLE]",
    16: "[SUFFIX]",
    17: "[SYSTEM_PROMPT]",
    18: "[/SYSTEM_PROMPT]",
    19: "[TOOL_CONTENT]",
    24: "[AUDIO]",
    25: "[BEGIN_AUDIO]",
    PAD: "[STREAMING_PAD]",
    WORD_START: "[STREAMING_WORD]",
    34: "[ARGS]",
    35: "[CALL_ID]",
}

N_SPECIAL: Final = 64
N_BYTES: Final = 256
FIRST_WORD: Final = N_SPECIAL + N_BYTES
# 64 places for words; the last ones are spare and never predicted.
VOCAB_SIZE: Final = FIRST_WORD + 64

WORD_TOKEN: Final = {word: FIRST_WORD + index for index, word in enumerate(WORDS)}
TOKEN_WORD: Final = {token: word for word, token in WORD_TOKEN.items()}

# ARPAbet without stress, one pronunciation a word (a general American one); used only for the
# auxiliary loss on the encoder, which is dropped at export.
PRONUNCIATIONS: Final = {
    "zero": "Z IH R OW",
    "one": "W AH N",
    "two": "T UW",
    "three": "TH R IY",
    "four": "F AO R",
    "five": "F AY V",
    "six": "S IH K S",
    "seven": "S EH V AH N",
    "eight": "EY T",
    "nine": "N AY N",
    "ten": "T EH N",
    "eleven": "IH L EH V AH N",
    "twelve": "T W EH L V",
    "thirteen": "TH ER T IY N",
    "fourteen": "F AO R T IY N",
    "fifteen": "F IH F T IY N",
    "sixteen": "S IH K S T IY N",
    "seventeen": "S EH V AH N T IY N",
    "eighteen": "EY T IY N",
    "nineteen": "N AY N T IY N",
    "twenty": "T W EH N T IY",
    "thirty": "TH ER T IY",
    "forty": "F AO R T IY",
    "fifty": "F IH F T IY",
    "sixty": "S IH K S T IY",
    "seventy": "S EH V AH N T IY",
    "eighty": "EY T IY",
    "ninety": "N AY N T IY",
    "hundred": "HH AH N D R AH D",
    "yes": "Y EH S",
    "no": "N OW",
    "stop": "S T AA P",
    "start": "S T AA R T",
    "please": "P L IY Z",
    "turn": "T ER N",
    "on": "AA N",
    "off": "AO F",
    "the": "DH AH",
    "light": "L AY T",
    "lights": "L AY T S",
    "kitchen": "K IH CH AH N",
    "bedroom": "B EH D R UW M",
    "door": "D AO R",
    "set": "S EH T",
    "timer": "T AY M ER",
    "for": "F AO R",
    "minute": "M IH N AH T",
    "minutes": "M IH N AH T S",
    "play": "P L EY",
    "pause": "P AO Z",
    "music": "M Y UW Z IH K",
    "volume": "V AA L Y UW M",
    "up": "AH P",
    "down": "D AW N",
    "open": "OW P AH N",
    "close": "K L OW Z",
}
SILENCE: Final = 0
PHONES: Final = ("SIL", *sorted({p for text in PRONUNCIATIONS.values() for p in text.split()}))
PHONE_NUMBER: Final = {phone: number for number, phone in enumerate(PHONES)}


def phones_of(word: str) -> list[int]:
    """Numbers of the phones of ``word``, in order."""
    return [PHONE_NUMBER[phone] for phone in PRONUNCIATIONS[word].split()]
