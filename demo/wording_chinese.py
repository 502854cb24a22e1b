"""The words of support tickets in Chinese, all our own."""

from __future__ import annotations

from random import Random

# fmt: off
SAYINGS = {
    "where_is_order": (
        ("我的订单在哪里？", "订单{order}", "还没收到货", "物流问题"),
        ("订单{order}下了{days}天，到现在还没有{arrived}。", "请问{product}什么时候能送到？",
         "{order}的物流从{weekday}起就没有更新，包裹丢了吗？", "快递显示已签收，但是我们门口没有包裹。"),
        ("抱歉让您久等，包裹在快递公司，{weekday}前应该送到。", "我已请快递查找；{weekday}前还没到，我们就补发。")),
    "damaged_item": (
        ("收到时已损坏", "订单{order}", "商品破损", "包裹有问题"),
        ("收到的{product}是{broken}的。", "订单{order}里有两个{product}{broken}了。",
         "打开箱子，{product}{broken}了，我有照片。",
         "包装太差，一半的{product}没法卖。"),
        ("非常抱歉，新的{product}今天发出，旧的不用寄回。", "请保留碎片等快递查看；退款已在路上。")),
    "wrong_item": (
        ("发错货了", "不是我买的", "订单{order}", "少发商品"),
        ("我买的是{product}，收到的是别的东西。", "订单{order}少了{product}。", "你们寄来的{product}颜色不对。",
         "我们数了两遍，{product}少了{count}个。"),
        ("抱歉，我们拿错了，正确的{product}已经寄出。", "谢谢告知，请把错的箱子交给快递员。")),
    "return_request": (
        ("退货", "想退回商品", "订单{order}", "怎么退货？"),
        ("我想把订单{order}里的{product}{give_back}。", "{count}个{product}怎么{give_back}？",
         "请发退货标签，{product}不需要了。",
         "{product}买多了，剩下的能退吗？"),
        ("可以，标签在附件里；{product}到了就退款。", "用我发的标签，{product}可以交到任何网点。")),
    "refund_status": (
        ("退款呢？", "我的钱在哪里", "订单{order}", "还没退款"),
        ("{product}我{days}天前就寄回了，还没看到钱。", "订单{order}的钱什么时候到账？",
         "{weekday}你们答应退款，到现在没有。",
         "订单{order}只退了一部分，{product}没有退。"),
        ("订单{order}的退款{weekday}已发出，银行最多需要五天。", "您的包裹已到仓库，款项现在放行。")),
    "invoice_request": (
        ("发票", "订单{order}的收据", "订单{order}", "开票"),
        ("请把订单{order}的{bill}发给我。", "我们会计需要带税号的{bill}。",
         "订单{order}的{bill}上是旧公司名，请更正。",
         "装{product}的包裹里没有{bill}。"),
        ("订单{order}的发票在附件里。", "名称已更正，重新发给您了。")),
    "cancel_order": (
        ("取消", "请停止订单{order}", "订单{order}", "下错单了"),
        ("请{cancel}订单{order}。", "{product}是误下单的，请不要发货。", "现在{cancel}{product}还来得及吗？",
         "早上买的我们不要了，{order}。"),
        ("订单{order}已取消，不会收费。", "货已经发出，请拒收，我们退款。")),
    "payment_problem": (
        ("重复扣款", "付款", "订单{order}", "我的银行卡"),
        ("订单{order}的钱扣了两次。", "银行显示两笔付款，但是{product}我只买了一次。",
         "订单{order}我付了款，你们网站显示未付。",
         "订单{order}没有减掉优惠券。"),
        ("其中一笔只是预授权，{weekday}前会取消。", "您说得对，第二笔今天退回到您的卡。")),
    "product_question": (
        ("咨询", "关于{product}", "尺寸？", "再买之前"),
        ("{product}可以放洗碗机吗？", "{product}的尺寸是多少？", "{product}是什么材料做的？",
         "{product}带电池吗？"),
        ("{product}要手洗。", "尺寸都写在页面上了，谢谢您的提问。")),
    "stock_question": (
        ("有货吗", "什么时候补货？", "想多买", "{product}"),
        ("{product}什么时候再有货？", "能给我们留{count}个{product}吗？",
         "我们还要{count}个{product}，页面显示售罄。",
         "{product}停产了吗？"),
        ("下一批{product}{weekday}到。", "已经给您留了{count}个。")),
    "change_address": (
        ("新地址", "订单{order}", "我们搬家了", "请改地址"),
        ("请把订单{order}寄到新地址：{address}。", "订单{order}付款前忘了改地址。",
         "{weekday}家里没人，{product}能送到邻居家吗？{address}"),
        ("已更改，快递已知道。", "已经在派送，可以到网点自取。")),
}
VAGUE = ("订单{order}有问题，请回电话。", "请看一下{order}，这样不对。", "{weekday}我写过{product}的事，没人回。",
         "需要帮忙，是关于{order}的。")
ALSO = ("另外，", "还有一件事：", "顺便问一下，")
GREETINGS = ("您好，", "你好，", "客服你好：", "", "", "早上好，")
CLOSINGS = ("谢谢", "多谢", "此致敬礼", "", "", "谢谢！")
REMINDERS = ("有消息吗？", "你好？我还在等回复。", "再问一下。")
THANKS = ("太好了，谢谢！", "解决了。", "谢谢你们这么快。", "好的，我等着。")
NOT_YET = ("这没有帮助。", "我之前试过了。", "那谁来付钱？", "你确定吗？")
URGENT = ("很急。", "我今天必须得到答复！", "不然我就投诉。", "请尽快。")
LAST = ("王", "李", "张", "刘", "陈", "赵", "周", "林")
GIVEN = ("伟", "芳", "小明", "秀英", "志强", "丽华")
SYNONYMS = {
    "arrived": ("收到", "到货", "送到"),
    "broken": ("坏", "破损", "摔碎", "刮花", "变形", "漏水", "不能用"),
    "give_back": ("退回", "寄回", "退掉"),
    "bill": ("发票", "收据", "增值税发票"),
    "cancel": ("取消", "撤销", "停止"),
    "weekday": ("星期一", "星期二", "星期三", "星期四", "星期五"),
}
# fmt: on


def name(random: Random) -> str:
    """Somebody who does not exist."""
    return random.choice(LAST) + random.choice(GIVEN)


def contact(name: str, random: Random) -> str:
    """A line with data of a person who does not exist: reserved domains, a number nobody has, a test card."""
    kind = random.random()
    if kind < 0.5:
        return f"我的邮箱是kehu{random.randint(1, 9999)}@example.{random.choice(('com', 'org', 'net'))}。"
    if kind < 0.85:
        return f"请打电话+86 138 0000 0{random.randint(100, 999)}。"
    return f"我用卡{random.choice(('4111 1111 1111 1111', '4242 4242 4242 4242'))}付的款。"


def address(random: Random) -> str:
    """An address that does not exist."""
    street = random.choice(("示例路", "样本街", "无名路"))
    return f"某某市某某区{street}{random.randint(1, 240)}号"
