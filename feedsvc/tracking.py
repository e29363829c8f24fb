"""Who counts readers: parameters of links, hosts and paths of pictures that serve nothing else.

Lists and what decides by them; taking things out is done by `normalise`, looking past them by
`duplicates`. Each list is told to users in docs/html.md.
"""

import re


def words(text: str) -> frozenset[str]:
    """The blank-separated words of a list written in the code."""
    return frozenset(text.split())


# Only parameters that serve nothing but counting; `ref`, `source`, `id` and the like may matter.
TRACKING_NAMES = words(
    """__hsfp __hssc __hstc __s __twitter_impression _branch_match_id _bta_c _bta_tid _ga _gl
    _hsenc _hsmi _ke _openstat at_bbc_team at_campaign at_campaign_type at_custom1 at_custom2
    at_custom3 at_custom4 at_format at_link_id at_link_origin at_link_type at_medium at_ptr_name
    ck_subscriber_id dclid dicbo ef_id elqaid elqat elqcampaignid elqtrack elqtrackid epik
    fb_action_ids fb_action_types fb_comment_id fb_ref fb_source fbclid ga_campaign ga_content
    ga_medium ga_place ga_source ga_term gad_campaignid gad_source gbraid gclid gclsrc guccounter
    guce_referrer guce_referrer_sig hsctatracking igsh igshid irclickid irgwc li_fat_id mc_cid
    mc_eid mc_tc mibextid mkt_tok ml_subscriber ml_subscriber_hash msclkid ns_campaign
    ns_linkname ns_mchannel ns_source oly_anon_id oly_enc_id pk_campaign pk_content pk_cpn
    pk_keyword pk_kwd pk_medium pk_source piwik_campaign piwik_keyword piwik_kwd rb_clickid
    rdt_cid ref_src s_cid s_kwcid sr_share srsltid sscid trk_contact trk_module trk_msg trk_sid
    ttclid twclid twitter_impression unicorn_click_id vero_conv vero_id vgo_ee wbraid wickedid
    wt.mc_id wt_mc wt_zmc xtor yclid ymclid ysclid"""
)
TRACKING_PREFIXES = ("utm_", "mtm_", "matomo_", "hsa_", "bsft_", "sfmc_", "itm_")

# with all hosts below them
TRACKER_HOSTS = words(
    """2o7.net adsymptotic.com analytics.tiktok.com analytics.twitter.com api.flattr.com
    api.follow.it awstrack.me bat.bing.com chartbeat.net counter.yadro.ru ct.pinterest.com
    doubleclick.net everesttech.net feeds.feedburner.com feedsportal.com google-analytics.com
    googletagmanager.com hm.baidu.com imrworldwide.com mc.yandex.ru met.vgwort.de omtrdc.net
    pixel.mathtag.com pixel.parsely.com pixel.quantserve.com pixel.tapad.com pixel.wp.com
    px.ads.linkedin.com quantserve.com scorecardresearch.com smartadserver.com statcounter.com
    stats.wordpress.com t.sidekickopen.com top-fwz1.mail.ru tr.snapchat.com track.hubspot.com
    webtrends.com xiti.com"""
)
TRACKER_PATHS = re.compile(
    r"/(?:piwik|matomo)\.php\b|/__utm\.gif\b|//(?:feeds?|rss)\.[^/]+/~(?:a|at|f|ff|r)/"
    r"|blogger\.googleusercontent\.com/tracker/|facebook\.com/tr[/?]|medium\.com/_/stat\b"
    r"|list-manage\.com/track/open|/wf/open\?|/republication-tracker-tool"
    r"|theconversation\.com/content/\d+/count\.gif|//ir-[a-z]{2}\.amazon-adsystem\.com/"
    r"|assoc-amazon\.[a-z.]+/e/ir|//t\.co/i/adsct|substackcdn\.com/open\?"
)


def is_tracking(parameter: str) -> bool:
    """Whether `name=value` is a known tracking parameter."""
    name = parameter.partition("=")[0].lower().removeprefix("amp;")
    return name in TRACKING_NAMES or name.startswith(TRACKING_PREFIXES)


def is_tracker_host(name: str) -> bool:
    """Whether a host, or one above it, is known to do nothing but count."""
    while name:
        if name in TRACKER_HOSTS:
            return True
        name = name.partition(".")[2]
    return False
