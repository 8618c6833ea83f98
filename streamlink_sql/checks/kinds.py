"""The reviewed kinds of sqlglot nodes and the words of generated SQL that a query may hold. Data only."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NODE_KINDS = _words(
    """
    Select Union Except Intersect Subquery CTE With From Join Where Group Having Order Ordered Limit LimitOptions Offset Fetch Distinct
    Qualify Window WindowSpec Filter WithinGroup IgnoreNulls RespectNulls Lateral Values Tuple Table TableAlias TableSample Column
    Identifier Star Alias Aliases Literal Null Boolean Paren Add Sub Mul Div IntDiv Mod Neg DPipe BitwiseAnd BitwiseOr BitwiseXor
    BitwiseNot BitwiseLeftShift BitwiseRightShift EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ Is Between In Like ILike Escape Glob
    SimilarTo Not Any All Bracket Slice Dot Lambda Comprehension PropertyEQ Kwarg Interval IntervalSpan Var DataType DataTypeParam
    ColumnDef AtTimeZone Cube Rollup GroupingSets JSON JSONPath JSONPathRoot JSONPathKey JSONPathSubscript JSONPathWildcard JSONPathSlice
    JSONPathRecursive JSONKeyValue RawString ByteString HexString PositionalColumn Overlaps Collate
    """
)
"""What is not a function. Left out: everything that writes, locks, hints, travels in time, takes parameters, or pivots."""

FUNCTION_KINDS = _words(
    """
    Abs Acos Acosh AddMonths And AnyValue ApproxDistinct ApproxQuantile ApproxTopK ArgMax ArgMin Array ArrayAgg ArrayAppend ArrayCompact
    ArrayConcat ArrayContains ArrayContainsAll ArrayContainedBy ArrayDistinct ArrayExcept ArrayFilter ArrayInsert ArrayIntersect ArrayMax
    ArrayMin ArrayOverlaps ArrayPosition ArrayPrepend ArrayRemove ArrayReverse ArraySize ArraySlice ArraySort ArrayToString ArrayUniqueAgg
    ArraysZip Ascii Asin Asinh Atan Atan2 Atanh Avg BitLength BitwiseAndAgg BitwiseOrAgg BitwiseXorAgg Case Cast CastToStrType Cbrt Ceil
    Chr Coalesce Collate Columns Concat ConcatWs Contains Corr Cos Cosh Cot Count CountIf CovarPop CovarSamp Csc CumeDist CurrentDate
    CurrentTime CurrentTimestamp Date DateAdd DateBin DateDiff DateFromParts DateFromUnixDate DateSub DateTrunc Datetime Day DayOfMonth
    DayOfWeek DayOfWeekIso DayOfYear Dayname Decode DecodeCase Degrees DenseRank Elt Encode EndsWith EuclideanDistance Exists Exp Explode
    Extract Factorial First FirstValue Flatten Floor Format FromBase64 FromJson GenerateSeries Greatest GroupConcat Grouping GroupingId
    Hex Hour If Initcap Inline IsInf IsNan JSONArray JSONArrayAgg JSONExtract JSONExtractScalar JSONFormat JSONKeys JSONObject
    JSONObjectAgg JSONRemove JSONSet JSONType JarowinklerSimilarity Kurtosis Lag Last LastDay LastValue Lead Least Left Length Levenshtein
    List Ln Localtime Localtimestamp Log LogicalAnd LogicalOr Lower MD5 MakeInterval Map MapContainsKey MapFromEntries MapKeys Max Median
    Min Minute Mode Month Monthname MonthsBetween Nanvl Negative NextDay NthValue Ntile Nullif Nvl2 Or Overlay Pad ParseJSON PercentRank
    PercentileCont PercentileDisc Pi Posexplode PosexplodeOuter Pow Quantile Quarter Radians Rand Randn Rank Reduce RegexpCount
    RegexpExtract RegexpExtractAll RegexpFullMatch RegexpILike RegexpInstr RegexpLike RegexpReplace RegexpSplit RegexpSubstr RegrAvgx
    RegrAvgy RegrCount RegrIntercept RegrR2 RegrSlope RegrSxx RegrSxy RegrSyy Repeat Replace Reverse Right Rint Round RowNumber SHA SHA2
    SafeAdd SafeDivide SafeMultiply SafeSubtract Sec Second Sign Sin Sinh Skewness Soundex Space Split SplitPart Sqrt StarMap StartsWith
    Stddev StddevPop StddevSamp StrPosition StrToTime StrToUnix Struct StructExtract Substring SubstringIndex Sum Tan Tanh Time
    TimeFromParts TimeStrToTime TimeToStr TimeToUnix Timestamp TimestampAdd TimestampDiff TimestampFromParts TimestampTrunc ToBase64
    ToBinary ToDays ToMap Transform Translate Trim Trunc Try TryCast TsOrDsAdd TsOrDsToDate TsOrDsToTimestamp Typeof Unhex Unicode
    UnixDate UnixMicros UnixMillis UnixSeconds UnixToStr UnixToTime Unnest Upper Uuid VarMap Variance VariancePop Week WeekOfYear
    WidthBucket Xor Year _ExplodeOuter
    """
)
"""Functions that sqlglot knows by a class of their own; all others go by name. Left out: session, files, models, state."""

WORDS_BEFORE_BRACKET = _words(
    """
    all and any array as between bernoulli bigint binary bit blob boolean by case cast char clob columns cross cube date datetime dec
    decimal distinct double else end enum escape except exclude exists extract filter first float from full glob group having if ilike in
    inner int integer intersect interval is join lateral left like limit map match materialized natural nchar not null numeric nvarchar of
    offset on or order outer over partition preceding qualify real recursive rename replace reservoir respect rollup row rows select semi
    anti sets similar smallint some struct system tablesample text then time timestamp timestamptz tinyint to try_cast ubigint uinteger
    union unnest usmallint utinyint using values varchar varying view when where window with within hugeint uhugeint float64 int64 name
    asof positional repeatable
    """
)
"""Words of generated SQL that may stand before a bracket without being a function."""
