"""Typed settings, read once at start from `LK_*` variables and an optional `.env` file.

Everybody may read them; nobody changes them after the start. A wrong one is refused with its name and the
reason, as one line, before anything is opened.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from lk_portal.errors import N_, ConfigurationError
from lk_portal.setting_errors import SettingError, refusal

KNOWN_LOCALES = ("ru", "en")
MIN_SECRET_LENGTH = 32
DEMO_DATA_DIR = Path("var/demo")
_MAIL_SERVER_FORM = N_("must be smtp(s)://[user:password@]host[:port]; in a password, / @ : # ? % as %XX")


class Environment(StrEnum):
    """Where the portal runs: the demo may use demo logins, production may not."""

    PRODUCTION = "production"
    DEMO = "demo"


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise SettingError(N_("not a time zone of the IANA database, e.g. Asia/Omsk"))
    return name


def _known_locale(name: str) -> str:
    if name not in KNOWN_LOCALES:
        raise SettingError(N_("must be one of {known}"), known=", ".join(KNOWN_LOCALES))
    return name


def _database_address(url: str) -> str:
    if url and urlsplit(url).scheme not in ("sqlite", "postgresql"):
        raise SettingError(N_("must begin with sqlite:// or postgresql://"))
    # The server changes its directory; a relative file is meant from where the portal was started.
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        return f"sqlite:///{Path(url.removeprefix('sqlite:///')).resolve()}"
    return url


def _public_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise SettingError(N_("must be http(s)://host[:port] without a path"))
    # As browsers write an Origin: a small host, and no port where it is the scheme's own.
    default = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port not in (None, default) else ""
    return f"{parts.scheme}://{host}{port}"


class Encryption(StrEnum):
    """How the connection to the mail server is made safe."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in.

    Attributes:
        user: "" when the server wants no login.
    """

    host: str
    port: int
    encryption: Encryption
    user: str = ""
    password: str = field(default="", repr=False)


def mail_server_of(url: str) -> MailServer:
    """Read `smtp://user:password@host:port?tls=starttls` or `smtps://...`.

    `smtp` means STARTTLS, and nothing is sent when the server does not offer it - except to this very
    machine, or with `tls=none`. A login never goes over the network in the clear.

    Raises:
        ValueError: It is none; the reason does not repeat it, for there is a password in it.
    """
    parts, port = _parts_of(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
        raise SettingError(_MAIL_SERVER_FORM)
    encryption = _encryption(parts)
    server = MailServer(
        host=parts.hostname,
        port=port or (465 if encryption is Encryption.TLS else 587),
        encryption=encryption,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
    if server.user and encryption is Encryption.NONE and not _is_loopback(server.host):
        raise SettingError(N_("tls=none would send the password in the clear; take smtps:// or tls=starttls"))
    if bool(server.user) != bool(server.password):
        raise SettingError(N_("needs both a user and a password, or neither"))
    return server


def _parts_of(url: str) -> tuple[SplitResult, int | None]:
    """The URL and its port; Python's own complaint would quote what it takes for the port."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        raise SettingError(_MAIL_SERVER_FORM) from None


def _encryption(parts: SplitResult) -> Encryption:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    asked = options.pop("tls", "")
    if options or parts.fragment:
        raise SettingError(
            N_("after the host only ?tls=starttls or ?tls=none may follow; write # and ? as %XX")
        )
    if parts.scheme == "smtps":
        if asked:
            raise SettingError(N_("smtps is TLS from the beginning; leave ?tls= out"))
        return Encryption.TLS
    if asked not in ("", "starttls", "none"):
        raise SettingError(N_("tls must be starttls or none"))
    default = Encryption.NONE if _is_loopback(parts.hostname or "") else Encryption.STARTTLS
    return Encryption(asked) if asked else default


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _mail_server_address(url: SecretStr) -> SecretStr:
    if url.get_secret_value():
        mail_server_of(url.get_secret_value())
    return url


def _mail_address(address: str) -> str:
    if not address:
        return ""
    from email_validator import EmailNotValidError, validate_email  # slow to load; most have no need of it

    try:
        found = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise SettingError(N_("not an e-mail address: {reason}"), reason=str(error)) from None
    return f"{found.local_part}@{found.ascii_domain}"


def _sender(text: str) -> str:
    """`Name <name@host>` or the address alone; any sign that could begin another header is refused."""
    if not text.isprintable():
        raise SettingError(N_("must be one line"))
    _name, address = parseaddr(text)
    if text and not address:
        raise SettingError(N_("must be an e-mail address, or: Name <address>"))
    _mail_address(address)
    return text


_Locale = Annotated[str, AfterValidator(_known_locale)]


class Settings(BaseSettings):
    """The portal's settings. Each is `LK_` + its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="LK_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    environment: Environment = Environment.PRODUCTION
    data_dir: Path = Path("var/data")
    database_url: Annotated[str, AfterValidator(_database_address)] = ""
    redis_url: str = ""
    smtp_url: Annotated[SecretStr, AfterValidator(_mail_server_address)] = SecretStr("")
    smtp_ca_file: Path | None = None
    mail_from: Annotated[str, AfterValidator(_sender)] = ""
    mail_reply_to: Annotated[str, AfterValidator(_mail_address)] = ""
    letters_keep_days: Annotated[int, Field(ge=1, le=3650)] = 90
    public_url: Annotated[str, AfterValidator(_public_address)] = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    secret_key: SecretStr = SecretStr("")
    old_secret_keys: SecretStr = SecretStr("")
    timezone: Annotated[str, AfterValidator(_known_zone)] = "Europe/Moscow"
    locale: _Locale = "ru"
    utility_name: Annotated[str, Field(min_length=1, max_length=80)] = "ЭнергоМир"
    utility_color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = "#0b5fa5"
    reading_day: Annotated[int, Field(ge=1, le=28)] = 25

    poll_interval_s: Annotated[int, Field(ge=5, le=86_400)] = 1800
    poll_concurrency: Annotated[int, Field(ge=1, le=1000)] = 200
    poll_timeout_s: Annotated[float, Field(gt=0, le=120)] = 5.0
    is_archive_replayed: bool = True
    is_worker_embedded: bool = True
    maps_dir: Path | None = None

    session_idle_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    session_max_hours: Annotated[int, Field(ge=1, le=168)] = 12
    temporary_password_hours: Annotated[int, Field(ge=1, le=168)] = 24
    bcrypt_rounds: Annotated[int, Field(ge=4, le=16)] = 12
    require_second_factor: bool = False
    trusted_proxy_hops: Annotated[int, Field(ge=0, le=5)] = 0
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    is_log_json: bool = False

    @model_validator(mode="after")
    def _secret_is_strong(self) -> Self:
        secret = self.secret_key.get_secret_value()
        if secret and len(secret) < MIN_SECRET_LENGTH:
            raise SettingError(
                N_("LK_SECRET_KEY must have at least {least} characters"), least=MIN_SECRET_LENGTH
            )
        if self.environment is Environment.PRODUCTION and len(set(secret)) in range(1, 8):
            raise SettingError(N_("LK_SECRET_KEY looks like a default; generate a random one"))
        if any(len(old) < MIN_SECRET_LENGTH for old in self.old_secrets()):
            raise SettingError(
                N_("each of LK_OLD_SECRET_KEYS must have at least {least} characters"),
                least=MIN_SECRET_LENGTH,
            )
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The utility's own zone; each premises has its own."""
        return ZoneInfo(self.timezone)

    @property
    def is_https(self) -> bool:
        """Whether people reach the portal over TLS: cookies are `Secure` then."""
        return self.public_url.startswith("https://")

    @property
    def own_origins(self) -> list[str]:
        """Origins whose pages may talk to the portal; one on loopback goes by either of its names."""
        names = ("127.0.0.1", "localhost")
        is_local = urlsplit(self.public_url).hostname in names
        return [self.public_url, *(f"http://{name}:{self.port}" for name in names if is_local)]

    @property
    def mail_server(self) -> MailServer | None:
        """Where letters are handed in; None: they are written to files."""
        url = self.smtp_url.get_secret_value()
        return mail_server_of(url) if url else None

    @property
    def letters_dir(self) -> Path:
        """Where letters are written to when there is no mail server."""
        return self.data_dir / "letters"

    @property
    def mail_host(self) -> str:
        """The public host's name in ASCII, for senders and message ids; `localhost` when it is a number."""
        host = urlsplit(self.public_url).hostname or ""
        try:
            ip_address(host)
        except ValueError:
            return host if host.isascii() else host.encode("idna").decode("ascii")
        return "localhost"

    @property
    def mail_sender(self) -> tuple[str, str]:
        """Name and address that letters come from; unless set, the utility and `no-reply@` the host."""
        name, address = parseaddr(self.mail_from)
        return name or self.utility_name, _mail_address(address) or f"no-reply@{self.mail_host}"

    @property
    def database_address(self) -> str:
        """The database's URL; SQLite in the data directory unless set."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'portal.sqlite3').resolve()}"

    @property
    def jobs_address(self) -> str:
        """Where DBOS keeps its queues: beside SQLite in a file of its own, or in PostgreSQL's own schema."""
        if self.database_address.startswith("sqlite"):
            return f"sqlite:///{(self.data_dir / 'jobs.sqlite3').resolve()}"
        return self.database_address

    def secret(self) -> bytes:
        """The secret all tokens and peppers are derived from; generated once in the data directory.

        Raises:
            ConfigurationError: The kept file was cut short.
        """
        given = self.secret_key.get_secret_value()
        return (given or _kept_secret(self.data_dir / "secret_key")).encode()

    def old_secrets(self) -> tuple[bytes, ...]:
        """Secrets that were in force before, newest first: passwords set under them go on working."""
        given = self.old_secret_keys.get_secret_value().split(",")
        return tuple(one.strip().encode() for one in given if one.strip())


def _kept_secret(path: Path) -> str:
    """Read the generated secret, making it on first use; two processes at once end with the same one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _offer_secret(path)
    secret = path.read_text(encoding="ascii").strip()
    if len(secret) < MIN_SECRET_LENGTH:
        raise ConfigurationError(
            detail=SettingError(
                N_("{path} must hold at least {least} characters"), path=path, least=MIN_SECRET_LENGTH
            )
        )
    return secret


def _offer_secret(path: Path) -> None:
    """Put a new secret at `path`, whole or not at all, unless another process was faster."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()


class _Language(BaseSettings):
    """LK_LOCALE alone, for what has to be said while another setting is wrong."""

    model_config = Settings.model_config

    locale: _Locale = "ru"


def load_settings(**overrides: object) -> Settings:
    """Read the settings; `overrides` win over the environment.

    Raises:
        ConfigurationError: One line that names each wrong variable and the reason.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise refusal(error) from None


def load_locale() -> str:
    """The portal's language, whatever the other settings are.

    Raises:
        ConfigurationError: There is no such language.
    """
    try:
        return _Language().locale
    except ValidationError as error:
        raise refusal(error) from None
