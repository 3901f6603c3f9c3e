"""The options of the commands that make many calls."""

from typing import Annotated, Final

from attrs import evolve, frozen
from cyclopts import Parameter
from cyclopts.validators import Number

from conversations_client import Retry
from conversations_client.cli._option_names import use_retry_options
from conversations_client.cli._session import Session

_DEFAULT: Final = Retry()
_SECONDS: Final = Number(gte=0, lte=2_592_000)  # the limits of `Retry`


@frozen(kw_only=True)
class RetryOptions:
    """The options for throttled requests and other temporary failures."""

    attempts: Annotated[int, Parameter(validator=Number(gt=0))] = _DEFAULT.attempts
    """Maximum number of times that a request is sent; 1 turns off retries."""
    retry_after_max: Annotated[float, Parameter(validator=_SECONDS)] = _DEFAULT.retry_after_max
    """Maximum seconds that the command waits when the service throttles it with Retry-After; if
    the service asks for more, the command stops."""

    def applied(self, session: Session, *, keys_are_trusted: bool = False) -> Session:
        """The session with these options; error messages name them from now on."""
        retry = Retry(
            attempts=self.attempts,
            retry_after_max=self.retry_after_max,
            trust_idempotency_key=keys_are_trusted,
        )
        use_retry_options(retry)
        return evolve(session, retry=retry)
