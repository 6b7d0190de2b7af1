"""load on files of torch.save: two that PyTorch 2.13 wrote, both formats, and what damaged or hostile files do."""
import base64
import io
import os
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict

import numpy as np
import pytest

import fastnet as fn

# {"w": 3x4 floats 0..11, "t": w.t(), "part": elements 5 to 8 of w's storage, a tensor of each dtype, a Parameter, containers, a state_dict}
NEW = (
    "c-"
    "pO3S#VQj6uwE*G!2k06j{`QfSM|lEX~H!lz;)eEajFZRx#ctw@oB%a*{tS1*=tTSyU86HW6{b86O<+$zdFkVa6GJ@Il96d~il*d~kg7jVDF_B~9=Dhf+<vlmBLtobNl|Ir"
    "sn1Iq8(EOp;`=NF`Uj)F`RhSRy&7t%$2gZO!aWg+n%}o4ZDhu~<5l(qbr?9>`g@W#d{_i?2_{kQJmB1q}9x0h0}ZF^1BZtu>lQ$yCl7&1yaQWGWs-+CVOyjSjl3P-"
    "VAAYOrw*TdI8;m>9$wPNh}U#lEycH6?U_IZ}n+W0^eE$TJaGw#$-SC7Z^fRyN6oaj+gq5CJm~%v4|&1tG8{u#<!-QJpX+D6EdaOmfvY)XN5fZeXxR1hW-"
    "ris0l(88wSwj)=TxyId`s#$c{&7=w8XH6OtO1@5J&gqrGw`xvSa$VU8CF^>DGBquauIwOLGM2K+=77@A!7~Nt7OB7fdF=E4>UU-lr3(>SVy+y)@D4`1;W`y<vVGALAgb_Z"
    "9V3`8Tso?;$a(tW91ARrV71YEH4$Ngh;KW=lEsVp3z^y<Vjj=bS_JN0&l}@LMG+s*620kXqUyu|al2$UhRR~rqu!hE%^g}yGwl1M&i)2Ac=7A2TX)PhcJRx#h$H>+rcuav"
    "XHH^asj%$57-;>gcY#XVO7dA1r#|vySxou`_TM%qjU>h~eLnj~RFq-"
    "7rPECBEFs`lw*A8;q$+&hQ*sVZ>?%AZ<1y68nn+7KLcQ+;T!;>s$PZe^uhmbwZ$f5|IQ9xy6PA~LuWL=4Lc9Jee=>iaE+O&eUUUKVWbO{7W1)hymV?(V!gN9-"
    "6#Ac_D#p!?)M&sktPtX!MEd%(h;X{^Y3>gHVK$g17KyHeoj?a<WuOTgK1;jgWLY_rCScrCr$lJ%rhY{>o;J{(};kiRFqQLWX_w}c<8oV$9qjn}ela3|eMY)P{rn2zT9yn;"
    "<5WI4hT<2uNR;q6wynG18Gz!Tj)Qkq>6NyXi#|b+m8%cnN$KZ$pM=4hv!7BxuUUKN%xLCcKr$6Q5@ER3%%pNh5LZ>DBa6Vt><8#3qEWYD3{jzZ!PGC1Ufp4-"
    "HPa=3rfm1ZBo}`+C(>#G2&amfqw($JUk=xr0d>+9&3S7vKz`K!JY#qf(R!PZ*i}d&RBBY+f`y=oHt*?VxHixS<d?*`oxm-"
    "`awNtLKgoiFSe~oiOR_ByWVXovYHig#Sbhckb(E?pK<Pv(rzqy>m_ve57bdWq6vZnUEK=MucF7$|~no9N!^lJks9CDZ8zT4YI1O$iRcamr0T?I5q!J>d3eE!p<*@Z)^%JD"
    "mKrIHAxG@@Z_&9C#x4l>_WgH3AZy7CG~IJB|?0gQDth;JSEh1V!v7xB7=*DrWUYw;|A*CM<eYl+f*Bfaeo(u1c_+Qch$hC}rwN~QMEYlL%T%dSt!<~L2l*}-"
    "$V!lBibq`$kPW6@RO|HkFhxib8_EA?MfU?v(eH-AeLr<Q3ntmZYeg+u<bH5jPpt4pp&rr-ZIDa3pBghTBWMc>{17jeH#wKYtC{%z7a-"
    "n};*3RdX8`y6c!SAuj8bbWNIjQsm5$^Q-"
    "FxbD)I8_I~^|3AcEU931YmhX;zY$+rDKqc}2aGQAk``g2}`TZx|!E+rhMSMlU#cxez8JIfGI%&4x4HvLFsic0g+DW1qycBGmK7V!6DuEXlF<-"
    "e+EFS*ki}T*=?Zp4h1K%7i$G^J*|DXNY^cC^FuzKm1>FZ~mu7eiGhKl;9+e&xtg}$BB*RN*DH90`g&~sWgi6@BtD*5*sO~%8a*8eER>2W!n4v#P3@&?=vue;3?@H-"
    "q{e_NZ|>GwN)4v)j<^aKJ#<<i>ax9nJlovJhtu|=Kw@vFW>x%fX^MC%8rxg2tiS(<8K6G`+#&;pL+xSphB@)CLUgG>X*(^w;w4p1UoKV8^3_^BF6n0-"
    "X7ev06+9ToxW6tVgVfXAK`u`Us-@7z4LsaC+cMXbK}^4K#XwoSz98z+x#v<g^HNxZsl$77F+Sg(lHH!L1IZ-#*NiCBG?5&Vi+zlhcM3Bm770UMaW-no<LuM;BHS+cS8rJV"
    ";$vqW&o&eGRq9vmqFmuxM4VdcR;mVit4mcB0X;2kzeti&Q%U#^-t@b^0KoeOEFY&I{OD7#h5Cy#^h{<EoY=<6oNU^AVFcNYxUL{x2Nm?mn^Z2tk|sm00")
OLD = (
    "c-noHS$Eq+6vyQyN#iCVKv~Kf%I2^HTVCR@WNAa%qHa-"
    "G#1f2RE0K$0`7e#rreH8jmX>{|AwXFVFFf$r!#U8y6CZ#Nz$+hta|(w$BiX@5LB}(eX8FyXJNN#l9zGMZE^bc!IdJ^DW4njy;lqDKsIEbZYyFZWRUDhy1>4Fm8ID`B%Lvf"
    "`t(SVN5@VK;H_FA5UPgFbi%}z6t{8c@bjolMsUaHII;hb#ZHJ*l32PDhDwP>Jm8cfw47<F5E+ty6(wYTY#xe?wR&irTouc6w#mQ2E#UKr;2*tG!%{YN@f!R*M9LiT&$#P?"
    "P$C#^@tYV%SW!HA{OL7d6cwFn^3)4t_!9diT5}UGYoy~ZSF?48sG-"
    "f27kW=Z*a4wx3PN&f+Y%El&WLD1+h8@$2q(qeHD!P@Z5?V#<w8_oc$<U*sSJ=eRXVQ{p)C@#kVtS~4j*2RgRa~lsIPo$MbveT>6;}v{RCMyxmH$V(%BNjDt#l~S73@|*E4"
    "aoZUCVHtit7c*)UA2k;F0|8AE2h@?r+?JXVU3(B9}<X7$A6<;5Tto!z<Xs;WvBmTNrLtahn#VX>;?qy#>8jxHg$>;^Xc3?68bMAAg6Bzmwzd^6+;v45_$BIJAsJ3;hs<Nt"
    "2vxB_}hPj0~B`AtI-UJUHkP(+n9ES>cU&OJBfntI4))HKDmSXf`<_W5hT2Uf<mNxViUx@CO)1Rg4L5lyVqvLGLqlr-"
    "`0uN9VF>?Dg&4$I(Qc<kf>7dWvDciUYzEMI3A)PukTv%V@G6YGV&)QduZI`;gB*%&Q|F`zXUP71M%Uh1%+nWwu40X(Q+4L=F%8<VSq+qr7^|BWnzgt9ZgoaSEj;Ti6H7TY"
    "2|XJ35z3VAl8b)4s3s9Q}-k)*0qh6g+e?i((6UhO0{xZnVKicy!GBb}#sLo4hJ{@Z${6s<4Dm8H*LRjK%+^A4kcuoXeq1D2Y%uM@c-HD<lu33-EB1zOD);99%(l8?B-"
    "=*B1?DI58}3w^~+C<Am>(lfGA$x#6e0m7ZgGUPWzPe7vxR7gf|ntS{P*ftPA{*;8MmVi!!jqC`ZjS`J>F#Y%kt*!i>k*&xRVV^3mr4Qqxk*m}jldc(ma=P{gC!hE-"
    "9R`8mN*9EJ{@P<ETo~M6`r1#CL=yHpAOBnWcT<herZIl*FhIh8vY-S{p#=HJz-xH^#gjexCtx2x^z}xVL3?HfZSnP4Gq`Nq~4K16ZGvDyf{1gAoH+l7`NBWH6a~0>RHGH9"
    "U)6_hjg<jN|jxR<3R~j`+__~H~#68lu`@U5|uItY6%W9TikOA@>3X;`ukQhdSbSxUALmfd1(ixQcT|rs9BPidxgYqO66!ANQ0<$OR0DFVZq0boVk^cSE$EX^oAC)?lb5t%"
    "+`JIY1AxZsI2B;(^!i_1T^$U&n@$rG5LjHS~|KI2fNsXSr8ZR3n$j^^8zJG0u<ze0_=6KI<e@kt&hNX?~J<H$!xS9QBv@zp{i@SdQ2SUYGdj")


def unpacked(text):
    return zlib.decompress(base64.b85decode("".join(text)))


@pytest.fixture(params=["new", "old"])
def tree(request):
    return fn.load(io.BytesIO(unpacked({"new": NEW, "old": OLD}[request.param])))


def test_tensors_have_their_values_and_dtypes(tree):
    assert type(tree) is OrderedDict
    want = {"half": ([1.5, -2.25], fn.float32), "bf": ([3.0, -0.15625], fn.float32), "n": (7, fn.int64), "flag": ([True, False], fn.bool),
            "i8": ([-3], fn.int32), "d": ([0.1], fn.float64), "u": ([200], fn.uint8), "i32": ([5, 6], fn.int32), "i16": ([-300], fn.int32),
            "w": (np.arange(12.0).reshape(3, 4).tolist(), fn.float32), "part": ([5, 6, 7, 8], fn.float32)}
    for name, (values, dtype) in want.items():
        assert tree[name].tolist() == values and tree[name].dtype is dtype, name
    assert tuple(tree["empty"].shape) == (0, 3)


def test_tensors_of_one_storage_share_memory(tree):
    tree["w"][1, 1] = 50.0
    assert tree["t"][1, 1].item() == 50 and tree["part"][0].item() == 50 and tree["t"].tolist() == tree["w"].t().tolist()


def test_what_is_around_the_tensors(tree):
    assert tree["more"] == {"epoch": 3, "lr": [0.1, (1, None, "x")], "shape": fn.Size((2, 3)), "dt": fn.float32}
    assert isinstance(tree["p"], fn.nn.Parameter) and tree["p"].requires_grad and tree["p"].tolist() == [1, 2]
    layer = fn.nn.Linear(2, 1)
    layer.load_state_dict(tree["sd"])
    assert not tree["w"].requires_grad


@pytest.mark.parametrize("text", [NEW, OLD], ids=["new", "old"])
def test_a_file_that_is_cut_short_or_changed_is_refused_or_harmless(text, tmp_path):
    """No byte can do more than change a value (the old format has no sums) or raise an error of load."""
    data = unpacked(text)
    for size in range(4, len(data) - 1, 23):
        with pytest.raises(fn.serialization.DamagedFile):
            fn.load(io.BytesIO(data[:size]))
    for at in range(4, len(data), 7):
        changed = bytearray(data)
        changed[at] ^= 0x15
        try:
            fn.load(io.BytesIO(bytes(changed)))
        except (fn.serialization.DamagedFile, ValueError):
            pass


class Evil:
    def __reduce__(self):
        return os.mkdir, ("made by a pickle",)


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"archive/{name.replace('__', '/').replace('_', '.')}", data)
    return io.BytesIO(file.getvalue())


def old(tree):
    head = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    return io.BytesIO(b"".join(pickle.dumps(part, 2) for part in (*head, tree, [])))


@pytest.mark.parametrize("make", [lambda tree: zipped(data_pkl=pickle.dumps(tree, 2)), old], ids=["new", "old"])
@pytest.mark.parametrize("value", [Evil(), {"model": Evil()}, os.system, eval, fn.nn.Linear, np.ones(2)])
def test_nothing_is_executed(make, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"load: the file names \S+; only tensors, .* save its state_dict"):
        fn.load(make(value))
    assert not list(tmp_path.iterdir())


def tensor_pickle(count=4, size=(2, 2), stride=(2, 1), offset=0, kind="FloatStorage", key="0", call="_rebuild_tensor_v2"):
    """The opcodes of one tensor, put together by hand."""
    def number(n):
        return b"J" + struct.pack("<i", n)

    def numbers(ns):
        return b"(" + b"".join(map(number, ns)) + b"t"

    def text(s):
        return b"X" + struct.pack("<I", len(s)) + s.encode()
    storage = b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu") + number(count) + b"tQ"
    return (b"\x80\x02" + f"ctorch._utils\n{call}\n".encode() + b"(" + storage + number(offset) + numbers(size) + numbers(stride)
            + b"\x89" + b"ccollections\nOrderedDict\n)Rt" + b"R.")


FOUR = np.arange(4, dtype="f4").tobytes()


def test_a_tensor_put_together_by_hand():
    assert fn.load(zipped(data_pkl=tensor_pickle(), data__0=FOUR)).tolist() == [[0, 1], [2, 3]]
    big = np.arange(4, dtype=">f4").tobytes()
    assert fn.load(zipped(data_pkl=tensor_pickle(), data__0=big, byteorder=b"big")).tolist() == [[0, 1], [2, 3]]
    assert fn.load(zipped(data_pkl=tensor_pickle(size=(2,), stride=(2,), offset=1), data__0=FOUR)).tolist() == [1, 3]
    assert fn.load(zipped(data_pkl=tensor_pickle(size=(3, 2), stride=(0, 0), offset=3), data__0=FOUR)).tolist() == [[3, 3]] * 3


@pytest.mark.parametrize("change, message", [
    ({"size": (2, 3)}, "reaches beyond its storage"),
    ({"offset": 1}, "reaches beyond its storage"),
    ({"offset": -1}, "shape of a tensor makes no sense"),
    ({"stride": (-2, 1)}, "shape of a tensor makes no sense"),
    ({"size": (2,)}, "shape of a tensor makes no sense"),
    ({"count": 5}, "has 16 bytes where 20 are expected"),
    ({"count": -4}, "length of a storage makes no sense"),
    ({"count": 2**30}, "length of a storage makes no sense"),
    ({"key": "1"}, "storage 1 is missing"),
    ({"kind": "DoubleStorage"}, "has 16 bytes where 32 are expected"),
    ({"kind": "ComplexFloatStorage"}, "holds a ComplexFloatStorage, whose dtype"),
    ({"call": "_rebuild_sparse_tensor"}, "names torch._utils._rebuild_sparse_tensor"),
    ({"kind": "BoolStorage", "count": 16}, "holds other values than 0 and 1"),
])
def test_a_tensor_that_makes_no_sense(change, message):
    with pytest.raises((fn.serialization.DamagedFile, ValueError), match=message):
        fn.load(zipped(data_pkl=tensor_pickle(**change), data__0=FOUR))


def test_other_zip_archives_and_pickles():
    with pytest.raises(fn.serialization.DamagedFile, match="not one that torch.save wrote"):
        fn.load(zipped(readme_txt=b"hello"))
    with pytest.raises(fn.serialization.DamagedFile):
        fn.load(io.BytesIO(pickle.dumps(0x1950A86A20F9469CFC6C, 2)))


def test_files_of_the_installed_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    for old_format in (False, True):
        torch.save(model.state_dict(), tmp_path / "m.pth", _use_new_zipfile_serialization=not old_format)
        weights = fn.load(tmp_path / "m.pth")
        assert {k: v.tolist() for k, v in weights.items()} == {k: v.tolist() for k, v in model.state_dict().items()}


def test_streams_that_cannot_seek_still_hold_fastnets_own_files():
    class Pipe:
        def __init__(self, data):
            inner = io.BytesIO(data)
            self.readinto, self.read = inner.readinto, inner.read

    file = io.BytesIO()
    fn.save({"a": fn.ones(2)}, file)
    stream = Pipe(file.getvalue())
    assert fn.load(stream)["a"].tolist() == [1, 1]
