"""Places, peoples and languages that are names in small letters, too. The longer list of `names` is capitals."""

from __future__ import annotations

_TEXT = """
afghanistan albania algeria argentina armenia australia austria azerbaijan bahrain bangladesh barbados belarus belgium
bolivia bosnia botswana brazil britain bulgaria cambodia cameroon canada chile china colombia congo croatia cuba
cyprus
czechia denmark ecuador egypt england estonia ethiopia europe fiji finland france gambia germany ghana greece
greenland
guatemala haiti honduras hungary iceland india indonesia iran iraq ireland israel italy jamaica japan jordan
kazakhstan
kenya korea kosovo kuwait laos latvia lebanon liberia libya lithuania luxembourg madagascar malawi malaysia mali malta
mexico moldova monaco mongolia montenegro morocco mozambique myanmar namibia nepal netherlands nicaragua niger nigeria
norway oman pakistan palestine panama paraguay peru philippines poland portugal qatar romania russia rwanda scotland
senegal serbia singapore slovakia slovenia somalia spain sudan sweden switzerland syria taiwan tanzania thailand
tunisia
turkey uganda ukraine uruguay usa uzbekistan venezuela vietnam wales yemen zambia zimbabwe africa asia antarctica
amsterdam athens atlanta auckland baghdad bangalore bangkok barcelona beijing berlin birmingham bologna boston
brisbane
bristol brussels bucharest budapest cairo calgary chennai chicago cologne copenhagen dallas delhi denver detroit dhaka
doha dresden dubai dublin edinburgh florence frankfurt geneva glasgow hamburg hanoi havana helsinki houston hyderabad
istanbul jakarta jerusalem johannesburg kabul karachi kathmandu kolkata krakow kyiv kyoto lagos lahore leeds leipzig
lima
lisbon liverpool ljubljana london lyon madrid manchester manila marseille melbourne miami milan minsk montreal moscow
mumbai munich nairobi naples nashville oslo osaka ottawa oxford paris perth philadelphia phoenix portland prague pune
quebec riga rome rotterdam seattle seoul seville shanghai sofia stockholm stuttgart sydney tallinn tehran tokyo
toronto
turin valencia vancouver venice vienna vilnius warsaw washington wellington zagreb zurich california texas florida
ohio
virginia alaska hawaii nevada oregon arizona colorado utah kansas iowa michigan minnesota illinois ontario bavaria
catalonia kerala punjab gujarat maharashtra rajasthan bihar karnataka
american australian austrian belgian brazilian british bulgarian canadian chinese croatian cuban czech danish dutch
egyptian english estonian ethiopian finnish french german greek hebrew hindi hungarian icelandic indian indonesian
iranian
iraqi irish israeli italian japanese korean latin latvian lithuanian malay mandarin cantonese mexican norwegian
pakistani
persian polish portuguese romanian russian scottish serbian slovak slovenian spanish swahili swedish swiss syrian
tamil
telugu thai turkish ukrainian urdu vietnamese welsh arabic bengali punjabi gujarati marathi malayalam kannada catalan
christian christians muslim muslims jewish jews hindu hindus buddhist buddhists catholic catholics protestant sikh
islam
christianity judaism hinduism buddhism
mercury venus mars jupiter saturn uranus neptune pluto
alice bob carol dave eve john peter paul mary anna james robert michael william david richard thomas sarah karen linda
susan lisa emma olivia sophia lucas noah liam maria jose juan carlos ahmed mohammed ali fatima hans karl klaus ivan
olga
python java javascript typescript ruby golang rust kotlin scala perl php haskell clojure erlang elixir fortran cobol
matlab mysql postgres postgresql sqlite mongodb oracle redis cassandra mariadb linux windows macos ubuntu debian
fedora
android ios iphone ipad firefox chrome safari opera docker kubernetes github gitlab aws azure gcp react angular vue
django flask rails excel word powerpoint outlook gmail google bing yahoo facebook twitter instagram whatsapp telegram
snapchat tiktok linkedin reddit quora youtube netflix spotify amazon ebay walmart apple microsoft samsung nokia sony
huawei xiaomi intel amd nvidia toyota honda ford bmw audi mercedes tesla volvo nissan pepsi coke visa mastercard
paypal
stripe uber lyft flipkart paytm airtel vodafone verizon tmobile
"""
PLACES = frozenset(_TEXT.split())
