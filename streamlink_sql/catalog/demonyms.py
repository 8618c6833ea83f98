"""English words for belonging to a country or continent, and the normalised names that cells use for it. Data only."""

from __future__ import annotations

_LINES = """
afghan: afghanistan
african: africa
albanian: albania
algerian: algeria
american: america, usa, united states, us, united states of america
argentine: argentina
argentinian: argentina
asian: asia
australian: australia
austrian: austria
bangladeshi: bangladesh
belgian: belgium
bolivian: bolivia
brazilian: brazil
british: britain, great britain, uk, united kingdom
bulgarian: bulgaria
cambodian: cambodia
canadian: canada
chilean: chile
chinese: china
colombian: colombia
croatian: croatia
cuban: cuba
czech: czech republic, czechia
danish: denmark
dutch: netherlands, holland
ecuadorian: ecuador
egyptian: egypt
english: england
estonian: estonia
ethiopian: ethiopia
european: europe
filipino: philippines
finnish: finland
french: france
german: germany
ghanaian: ghana
greek: greece
hungarian: hungary
icelandic: iceland
indian: india
indonesian: indonesia
iranian: iran
iraqi: iraq
irish: ireland
israeli: israel
italian: italy
jamaican: jamaica
japanese: japan
kenyan: kenya
korean: korea, south korea
latvian: latvia
lebanese: lebanon
lithuanian: lithuania
malaysian: malaysia
mexican: mexico
moroccan: morocco
nepalese: nepal
nigerian: nigeria
norwegian: norway
pakistani: pakistan
peruvian: peru
polish: poland
portuguese: portugal
romanian: romania
russian: russia
saudi: saudi arabia
scottish: scotland
serbian: serbia
singaporean: singapore
slovak: slovakia
slovenian: slovenia
south african: south africa
south korean: south korea
spanish: spain
swedish: sweden
swiss: switzerland
taiwanese: taiwan
thai: thailand
tunisian: tunisia
turkish: turkey
ukrainian: ukraine
uruguayan: uruguay
venezuelan: venezuela
vietnamese: vietnam
welsh: wales
"""

DEMONYMS: dict[str, tuple[str, ...]] = {
    word: tuple(name.strip() for name in names.split(",")) for word, names in (line.split(": ") for line in _LINES.split("\n") if line)
}
