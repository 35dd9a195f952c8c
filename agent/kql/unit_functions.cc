// convert_angle, convert_length, …: from one unit into another. Names are Kusto's, as they are
// written; a unit that is not there gives null. Facts: the definitions of the units (the
// international pound, foot and gallon, the IT calorie's BTU); recorded answers.

#include "agent/kql/unit_functions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace picket::kql {
namespace {

// value in the base unit = value × scale + offset
struct Unit {
  std::string_view name;
  double scale = 1;
  double offset = 0;
};
using Units = std::vector<Unit>;

constexpr double kInch = 0.0254;
constexpr double kFoot = 0.3048;
constexpr double kYard = 0.9144;
constexpr double kSurveyFoot = 1200.0 / 3937.0;
constexpr double kPound = 0.45359237;
constexpr double kGravity = 9.80665;
constexpr double kGallon = 0.003785411784;
constexpr double kImperialGallon = 0.00454609;
constexpr double kBtu = 1055.05585262;
constexpr double kElectronVolt = 1.602176565e-19;
constexpr double kDegree = 180.0 / std::numbers::pi;
constexpr double kIcePoint = 273.15;

const Units& Angles() {  // degrees; and Tilt
  static const Units units = {{"Arcminute", 1.0 / 60},
                              {"Arcsecond", 1.0 / 3600},
                              {"Centiradian", kDegree / 100},
                              {"Deciradian", kDegree / 10},
                              {"Degree"},
                              {"Gradian", 0.9},
                              {"Microdegree", 1e-6},
                              {"Microradian", kDegree * 1e-6},
                              {"Millidegree", 1e-3},
                              {"Milliradian", kDegree * 1e-3},
                              {"Nanodegree", 1e-9},
                              {"Nanoradian", kDegree * 1e-9},
                              {"NatoMil", 360.0 / 6400},
                              {"Radian", kDegree},
                              {"Revolution", 360}};
  return units;
}

const Units& Energies() {  // joules
  static const Units units = {{"BritishThermalUnit", kBtu},
                              {"Calorie", 4.184},
                              {"DecathermEc", kBtu * 1e6},
                              {"DecathermImperial", 1.05505585257348e9},
                              {"DecathermUs", 1.054804e9},
                              {"ElectronVolt", kElectronVolt},
                              {"Erg", 1e-7},
                              {"FootPound", kFoot * kPound * kGravity},
                              {"GigabritishThermalUnit", kBtu * 1e9},
                              {"GigaelectronVolt", kElectronVolt * 1e9},
                              {"Gigajoule", 1e9},
                              {"GigawattDay", 86400e9},
                              {"GigawattHour", 3600e9},
                              {"HorsepowerHour", kFoot * kPound * kGravity * 550 * 3600},
                              {"Joule"},
                              {"KilobritishThermalUnit", kBtu * 1e3},
                              {"Kilocalorie", 4184},
                              {"KiloelectronVolt", kElectronVolt * 1e3},
                              {"Kilojoule", 1e3},
                              {"KilowattDay", 86400e3},
                              {"KilowattHour", 3600e3},
                              {"MegabritishThermalUnit", kBtu * 1e6},
                              {"Megacalorie", 4184e3},
                              {"MegaelectronVolt", kElectronVolt * 1e6},
                              {"Megajoule", 1e6},
                              {"MegawattDay", 86400e6},
                              {"MegawattHour", 3600e6},
                              {"Millijoule", 1e-3},
                              {"TeraelectronVolt", kElectronVolt * 1e12},
                              {"TerawattDay", 86400e12},
                              {"TerawattHour", 3600e12},
                              {"ThermEc", kBtu * 1e5},
                              {"ThermImperial", 1.05505585257348e8},
                              {"ThermUs", 1.054804e8},
                              {"WattDay", 86400},
                              {"WattHour", 3600}};
  return units;
}

const Units& Forces() {  // newtons
  static const Units units = {{"Decanewton", 10},
                              {"Dyn", 1e-5},
                              {"KilogramForce", kGravity},
                              {"Kilonewton", 1e3},
                              {"KiloPond", kGravity},
                              {"KilopoundForce", kPound * kGravity * 1e3},
                              {"Meganewton", 1e6},
                              {"Micronewton", 1e-6},
                              {"Millinewton", 1e-3},
                              {"Newton"},
                              {"OunceForce", kPound * kGravity / 16},
                              {"Poundal", kPound * kFoot},
                              {"PoundForce", kPound * kGravity},
                              {"ShortTonForce", kPound * kGravity * 2000},
                              {"TonneForce", kGravity * 1e3}};
  return units;
}

const Units& Lengths() {  // metres
  constexpr double kLightYear = 9.4607304725808e15;
  constexpr double kParsec = 3.0856775814913673e16;
  static const Units units = {{"Angstrom", 1e-10},
                              {"AstronomicalUnit", 1.495978707e11},
                              {"Centimeter", 1e-2},
                              {"Chain", 20.1168},
                              {"DataMile", 1828.8},
                              {"Decameter", 10},
                              {"Decimeter", 0.1},
                              {"DtpPica", kInch / 6},
                              {"DtpPoint", kInch / 72},
                              {"Fathom", 1.8288},
                              {"Foot", kFoot},
                              {"Hand", 0.1016},
                              {"Hectometer", 100},
                              {"Inch", kInch},
                              {"KilolightYear", kLightYear * 1e3},
                              {"Kilometer", 1e3},
                              {"Kiloparsec", kParsec * 1e3},
                              {"LightYear", kLightYear},
                              {"MegalightYear", kLightYear * 1e6},
                              {"Megaparsec", kParsec * 1e6},
                              {"Meter"},
                              {"Microinch", kInch * 1e-6},
                              {"Micrometer", 1e-6},
                              {"Mil", kInch * 1e-3},
                              {"Mile", 1609.344},
                              {"Millimeter", 1e-3},
                              {"Nanometer", 1e-9},
                              {"NauticalMile", 1852},
                              {"Parsec", kParsec},
                              {"PrinterPica", kInch * 12 / 72.27},
                              {"PrinterPoint", kInch / 72.27},
                              {"Shackle", 27.432},
                              {"SolarRadius", 6.957e8},
                              {"Twip", kInch / 1440},
                              {"UsSurveyFoot", kSurveyFoot},
                              {"Yard", kYard}};
  return units;
}

const Units& Masses() {  // kilograms
  static const Units units = {{"Centigram", 1e-5},
                              {"Decagram", 1e-2},
                              {"Decigram", 1e-4},
                              {"EarthMass", 5.9722e24},
                              {"Grain", kPound / 7000},
                              {"Gram", 1e-3},
                              {"Hectogram", 0.1},
                              {"Kilogram"},
                              {"Kilopound", kPound * 1e3},
                              {"Kilotonne", 1e6},
                              {"LongHundredweight", kPound * 112},
                              {"LongTon", kPound * 2240},
                              {"Megapound", kPound * 1e6},
                              {"Megatonne", 1e9},
                              {"Microgram", 1e-9},
                              {"Milligram", 1e-6},
                              {"Nanogram", 1e-12},
                              {"Ounce", kPound / 16},
                              {"Pound", kPound},
                              {"ShortHundredweight", kPound * 100},
                              {"ShortTon", kPound * 2000},
                              {"Slug", kPound * kGravity / kFoot},
                              {"SolarMass", 1.98847e30},
                              {"Stone", kPound * 14},
                              {"Tonne", 1e3}};
  return units;
}

const Units& Speeds() {  // metres a second
  static const Units units = {{"CentimeterPerHour", 1e-2 / 3600},
                              {"CentimeterPerMinute", 1e-2 / 60},
                              {"CentimeterPerSecond", 1e-2},
                              {"DecimeterPerMinute", 0.1 / 60},
                              {"DecimeterPerSecond", 0.1},
                              {"FootPerHour", kFoot / 3600},
                              {"FootPerMinute", kFoot / 60},
                              {"FootPerSecond", kFoot},
                              {"InchPerHour", kInch / 3600},
                              {"InchPerMinute", kInch / 60},
                              {"InchPerSecond", kInch},
                              {"KilometerPerHour", 1e3 / 3600},
                              {"KilometerPerMinute", 1e3 / 60},
                              {"KilometerPerSecond", 1e3},
                              {"Knot", 1852.0 / 3600},
                              {"MeterPerHour", 1.0 / 3600},
                              {"MeterPerMinute", 1.0 / 60},
                              {"MeterPerSecond"},
                              {"MicrometerPerMinute", 1e-6 / 60},
                              {"MicrometerPerSecond", 1e-6},
                              {"MilePerHour", 1609.344 / 3600},
                              {"MillimeterPerHour", 1e-3 / 3600},
                              {"MillimeterPerMinute", 1e-3 / 60},
                              {"MillimeterPerSecond", 1e-3},
                              {"NanometerPerMinute", 1e-9 / 60},
                              {"NanometerPerSecond", 1e-9},
                              {"UsSurveyFootPerHour", kSurveyFoot / 3600},
                              {"UsSurveyFootPerMinute", kSurveyFoot / 60},
                              {"UsSurveyFootPerSecond", kSurveyFoot},
                              {"YardPerHour", kYard / 3600},
                              {"YardPerMinute", kYard / 60},
                              {"YardPerSecond", kYard}};
  return units;
}

const Units& Temperatures() {  // kelvins
  static const Units units = {{"DegreeCelsius", 1, kIcePoint},
                              {"DegreeDelisle", -2.0 / 3, kIcePoint + 100},
                              {"DegreeFahrenheit", 5.0 / 9, 459.67 * 5 / 9},
                              {"DegreeNewton", 100.0 / 33, kIcePoint},
                              {"DegreeRankine", 5.0 / 9},
                              {"DegreeReaumur", 1.25, kIcePoint},
                              {"DegreeRoemer", 40.0 / 21, kIcePoint - 7.5 * 40 / 21},
                              {"Kelvin"},
                              {"MillidegreeCelsius", 1e-3, kIcePoint},
                              {"SolarTemperature", 5778}};
  return units;
}

const Units& Volumes() {  // cubic metres
  constexpr double kCubicFoot = kFoot * kFoot * kFoot;
  constexpr double kMile = 1609.344;
  static const Units units = {{"AcreFoot", 1 / 0.000810714},  // as it was recorded
                              {"AuTablespoon", 2e-5},
                              {"BoardFoot", kCubicFoot / 12},
                              {"Centiliter", 1e-5},
                              {"CubicCentimeter", 1e-6},
                              {"CubicDecimeter", 1e-3},
                              {"CubicFoot", kCubicFoot},
                              {"CubicHectometer", 1e6},
                              {"CubicInch", kInch * kInch * kInch},
                              {"CubicKilometer", 1e9},
                              {"CubicMeter"},
                              {"CubicMicrometer", 1e-18},
                              {"CubicMile", kMile * kMile * kMile},
                              {"CubicMillimeter", 1e-9},
                              {"CubicYard", kYard * kYard * kYard},
                              {"Decaliter", 1e-2},
                              {"DecausGallon", kGallon * 10},
                              {"Deciliter", 1e-4},
                              {"DeciusGallon", kGallon / 10},
                              {"HectocubicFoot", kCubicFoot * 100},
                              {"HectocubicMeter", 100},
                              {"Hectoliter", 0.1},
                              {"HectousGallon", kGallon * 100},
                              {"ImperialBeerBarrel", kImperialGallon * 36},
                              {"ImperialGallon", kImperialGallon},
                              {"ImperialOunce", kImperialGallon / 160},
                              {"ImperialPint", kImperialGallon / 8},
                              {"KilocubicFoot", kCubicFoot * 1e3},
                              {"KilocubicMeter", 1e3},
                              {"KiloimperialGallon", kImperialGallon * 1e3},
                              {"Kiloliter"},
                              {"KilousGallon", kGallon * 1e3},
                              {"Liter", 1e-3},
                              {"MegacubicFoot", kCubicFoot * 1e6},
                              {"MegaimperialGallon", kImperialGallon * 1e6},
                              {"Megaliter", 1e3},
                              {"MegausGallon", kGallon * 1e6},
                              {"MetricCup", 2.5e-4},
                              {"MetricTeaspoon", 5e-6},
                              {"Microliter", 1e-9},
                              {"Milliliter", 1e-6},
                              {"OilBarrel", kGallon * 42},
                              {"UkTablespoon", 1.5e-5},
                              {"UsBeerBarrel", kGallon * 31},
                              {"UsCustomaryCup", kGallon / 16},
                              {"UsGallon", kGallon},
                              {"UsLegalCup", 2.4e-4},
                              {"UsOunce", kGallon / 128},
                              {"UsPint", kGallon / 8},
                              {"UsQuart", kGallon / 4},
                              {"UsTablespoon", kGallon / 256},
                              {"UsTeaspoon", kGallon / 768}};
  return units;
}

const Unit* Find(const Units& units, std::string_view name) {
  const auto found = std::find_if(units.begin(), units.end(),
                                  [name](const Unit& unit) { return unit.name == name; });
  return found == units.end() ? nullptr : &*found;
}

constexpr std::string_view kTilt = "Tilt";  // the sine of the angle, in no other measure

template <const Units& (*kUnits)()>
std::optional<double> ToBase(double value, std::string_view unit) {
  if (kUnits == &Angles && unit == kTilt) return std::asin(value) * kDegree;
  const Unit* from = Find(kUnits(), unit);
  if (from == nullptr) return std::nullopt;
  return value * from->scale + from->offset;
}

template <const Units& (*kUnits)()>
std::optional<double> FromBase(double value, std::string_view unit) {
  if (kUnits == &Angles && unit == kTilt) return std::sin(value / kDegree);
  const Unit* to = Find(kUnits(), unit);
  if (to == nullptr) return std::nullopt;
  return (value - to->offset) / to->scale;
}

template <const Units& (*kUnits)()>
ColumnPtr Convert(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<double> value = ToReal(*a[0], row);
    if (!value || a[1]->IsNull(row) || a[2]->IsNull(row)) return out.Null();
    const std::optional<double> base = ToBase<kUnits>(*value, a[1]->Text(row));
    const std::optional<double> made =
        base ? FromBase<kUnits>(*base, a[2]->Text(row)) : std::nullopt;
    made ? out.Real(*made) : out.Null();
  });
}

}  // namespace

FunctionList UnitFunctions() {
  return Declare({
      {"convert_angle(value: number, from: string, to: string): real", &Convert<&Angles>},
      {"convert_energy(value: number, from: string, to: string): real", &Convert<&Energies>},
      {"convert_force(value: number, from: string, to: string): real", &Convert<&Forces>},
      {"convert_length(value: number, from: string, to: string): real", &Convert<&Lengths>},
      {"convert_mass(value: number, from: string, to: string): real", &Convert<&Masses>},
      {"convert_speed(value: number, from: string, to: string): real", &Convert<&Speeds>},
      {"convert_temperature(value: number, from: string, to: string): real",
       &Convert<&Temperatures>},
      {"convert_volume(value: number, from: string, to: string): real", &Convert<&Volumes>},
  });
}

}  // namespace picket::kql
