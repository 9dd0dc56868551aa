"""The name of a column in, what it speaks of out: people, rows, contact, what the law protects, what comes after.

Names are read as words: `reviewerID`, `Reviewer ID` and `reviewer_id` say the same.
"""

from __future__ import annotations

import re
import unicodedata

_PEOPLE = (
    r"customers?|clients?|users?|accounts?|acct|members?|persons?|patients?|subscribers?|households?|visitors?|borrowers?|policy_?holders?|"
    r"cust|kunden?|reviewers?|authors?|hosts?|guests?|passengers?|tenants?|applicants?|requesters?|donors?|players?|drivers?|employees?|"
    r"students?|buyers?|shoppers?|owners?|prospects?|contacts?|insured|card_?holders?|adherents?|abonnes?|membres?|clientes?|socios?|"
    r"kunnr|mitglieds?|vertrags?|policy|loan|contract|agreement|hh|lylty|loyalty|msisdn|steam"
)
_ALONE = (
    r"customer|client|user|account|member|person|patient|subscriber|household|visitor|borrower|policy_?holder|cust|kunden?|reviewer|"
    r"author|requester|applicant|msno"
)
_ROW = re.compile(
    r"(?:\A|_)(?:id|uuid|guid)(?:_|\Z)|(?:\A|_)(?:nr|no|num|nbr|number|key|index|idx|row|ref|hash)\Z|"
    r"(?:number|nummer|nr|num|nbr|uuid|guid)\Z|\A(?:no|nr)_(?!of_)|\Acolumn_1\Z|\Aunnamed"
)
_ENDS_IN_ID = re.compile(r"[a-z]{2,}id\Z")  # memberid; but no word that ends so
_NO_ID = re.compile(
    r"(?:paid|valid|grid|solid|android|covid|rapid|fluid|hybrid|bid|said|thyroid|steroid|opioid|acid|avoid|fluoride|void|plaid|squid|kid)\Z"
)


def words(name: str) -> str:
    """`Last Activity`, `lastActivity` and `last-activity` as `last_activity`; accents are taken off."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode() or name
    parted = re.sub(r"(?<=\AID)(?=[a-z])|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?<!\AI)(?=[A-Z][a-z])", "_", plain)
    return re.sub(r"[\W_]+", "_", parted).strip("_").lower()


def _any(pattern: str) -> re.Pattern[str]:
    """One of these words, or word sequences, wherever it stands."""
    return re.compile(rf"(?:\A|_)(?:{pattern})(?:_|\Z)")


_PROTECTED = _any(
    r"sex|sexe|gender|geschlecht|anrede|salutation|civilite|ethnic|ethnicity|religion|nationality|native_country|disab(?:led|ility)|"
    r"sexual_orientation|marital(?:_status)?|marriage|family_status|familienstand|foreign_worker|sexo|genero|genre|estado_civil|etat_civil|"
    r"situation_familiale|konfession|staatsangehorigkeit|nationalitat|nationalite|nacionalidad|religiao|schwerbehinderung|handicap"
)
_RACE = re.compile(r"\Arace\Z|_race\Z")
_CONTACT = _any(
    r"e_?mails?|(?:tele|cell_?)?phone|telefon|telefono|telephone|mobile|movil|celular|handy|tel|fax|iban|(?:credit_?|debit_?)?card(?:_?(?:number|no|num))?|cc_num(?:ber)?|"
    r"phone_?(?:number|no|num)|mobile_?(?:number|no|num)"
)
_ABOUT_CONTACT = _any(
    r"id|domain|client|provider|brand|model|type|device|os|plan|service|lines?|counts?|calls?|minutes|opens?|opened|clicks?|clicked|campaign|"
    r"subject|opt|sent|received|rate|age|balance|limit|usage|charges?|categor(?:y|ies)|country|code|status|level|days|provider_?name"
)
_CALLED = re.compile(
    r"(?:\A|_)(?:(?:first|last|full|sur|family|given|middle|user|screen|display|customer|client|contact|account|patient|employee|profile|reviewer|"
    r"borrower|holder|card|member|passenger|owner|host|guest|billing|shipping|requester|buyer|recipient|sender|author|lead|applicant|insured|"
    r"donor|driver|student)_?name|surname|vorname|nachname|prenom|apellidos?)\Z|"
    r"\A(?:first|last|nombre|ansprechpartner|contact_person|dni|nif|nie|curp|cpf|ssn)\Z"
)
_LIVES = re.compile(
    r"\A(?:(?:billing|shipping|street|home|mailing|postal|card)_?)?(?:address|street)(?:_?line)?_?[0-9]?\Z|"
    r"(?:\A|_)(?:strasse|hausnummer|anschrift|adresse|direccion|domicilio|ip(?:_?addr(?:ess)?)?)(?:_|\Z)"
)
_PERSON = re.compile(
    r"\A(?:name|nom|cognome|requester|recipient|"
    r"username|passport(?:_no)?|(?:account|sales|relationship|case)_?(?:manager|owner|rep|agent))\Z"
)
_AFTERWARDS = re.compile(
    r"duration|result|outcome|resolution|resolved|closed|cancel|refund|settle|recover|charge_?off|collect|\Afinal|after|\Apost_|"
    r"days?_?late|payoff|\Alast_|total_pymnt|total_rec|talk_?time|end_?date|decision|approved|predict|score_after|feedback|rating\Z|page_?values?"
)
_LATE = re.compile(
    r"status|deliver|shipp?(?:ed|ing)|clos(?:e|ed|ing)(?:_|\Z)|cancel|resol|return|refund|\A(?:last|next|end)_|_end\Z|paid|pay_?off|"
    r"settle|recover|charge_?off|(?:last|next)_?(?:pa?yme?nt|credit_pull)|respon|churn|exit|\Aleft|termin|complet|finish|outcome|result|"
    r"decision|answer|review_(?!time|date)"
)
_SINCE = re.compile(
    r"birth|born|dob|geburt|sign_?up|regist|joined|since|dt_customer|enrol|opened|hired?|start_?date|activat|adhes|inscri|eintritt|beitritt|"
    r"anmeld|seit|alta"
)


def is_protected(name: str) -> bool:
    """What the law protects."""
    return bool(_PROTECTED.search(words(name)) or _RACE.search(words(name)))


def names_rows(name: str) -> bool:
    """An id, a number, a key."""
    said = words(name)
    ends_in_id = _ENDS_IN_ID.search(said) is not None and _NO_ID.search(said) is None
    return ends_in_id or _ROW.search(said) is not None


def names_people(name: str) -> bool:
    """People or accounts."""
    return re.search(_PEOPLE, words(name)) is not None


def names_somebody(name: str) -> bool:
    """Who it is, and not what is told or counted of them."""
    return (names_people(name) and names_rows(name)) or re.fullmatch(_ALONE, words(name)) is not None


def names_contact(name: str) -> bool:
    """Where somebody can be reached or charged; not which kind of telephone it is, or how often it rang."""
    said = words(name)
    return _CONTACT.search(said) is not None and _ABOUT_CONTACT.search(said) is None


def names_called(name: str) -> bool:
    """What somebody is called."""
    return _CALLED.search(words(name)) is not None


def names_home(name: str) -> bool:
    """Where somebody lives, or is on the net."""
    return _LIVES.search(words(name)) is not None


def names_person(name: str) -> bool:
    """What somebody is called, or another thing is."""
    return names_called(name) or _PERSON.search(words(name)) is not None


def comes_after(name: str) -> bool:
    """What happens after the decision."""
    return _AFTERWARDS.search(words(name)) is not None


def is_late(name: str) -> bool:
    """A moment after the outcome."""
    return _LATE.search(words(name)) is not None


def is_date_name(name: str) -> bool:
    """A moment."""
    return re.search(r"(?i)date|time|day|_at\Z|_on\Z|stamp|datum|month|period|created|opened", name) is not None


def since(name: str) -> bool:
    """A moment from which on somebody is what they are."""
    return _SINCE.search(words(name)) is not None


def begins_as(name: str, other: str) -> bool:
    """Whether a name is that of another column with more words behind it."""
    return words(name).startswith(words(other) + "_")
